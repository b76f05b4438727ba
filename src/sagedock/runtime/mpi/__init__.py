"""An MPI job: mpirun on the first host, sshd on the others, keys that live as long as the job.

``command``   mpirun's command line, with the training toolkit's options
``keys``      SSH keys and configuration, made when the job starts
``wire``      one line of JSON after another, over a socket
``leader``    the first host: gathers the others, and tells them how mpirun ended
``follower``  any other host: a program that serves mpirun until the first host says it ended
``session``   what a connection of mpirun runs: its command, in the host's own environment

A follower holds one connection to the leader: over it public keys are exchanged, and the end is
told. Where it breaks, the follower ends; so no host waits for one that is gone.
"""
