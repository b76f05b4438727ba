"""Who containers are told that they are asked by: the User-Agent of what the platform sends."""

__all__ = ["ENDPOINTS", "TRANSFORMS"]

#: Source: "Logs" in the fidelity corpus, of /ping; of /invocations logs of endpoints in public
#: notebooks (2019).
ENDPOINTS = "AHC/2.0"
#: Source: row 121 of the fidelity corpus, of /ping and /invocations.
TRANSFORMS = "Go-http-client/1.1"
