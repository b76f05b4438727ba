"""S3's HTTP API: ``app`` receives, ``operations`` is the table, the rest carries out."""
