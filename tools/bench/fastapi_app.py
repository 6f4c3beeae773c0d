#!/usr/bin/env python3
"""A FastAPI script that serves one model, as people write them: fastapi_app.py PORT MODEL.pt

Runs under uvicorn with uvloop and httptools, one worker, one LibTorch thread. The body is that of
the Open Inference Protocol, in JSON.
"""

import sys

import fastapi
import torch
import uvicorn

app = fastapi.FastAPI()


@app.post("/v2/models/{name}/infer")
async def infer(name: str, request: fastapi.Request):
    body = await request.json()
    given = body["inputs"][0]
    tensor = torch.tensor(given["data"], dtype=torch.float32).reshape(given["shape"])
    with torch.inference_mode():
        output = app.state.model(tensor)
    return {"model_name": name, "model_version": "1",
            "outputs": [{"name": "y", "datatype": "FP32", "shape": list(output.shape),
                         "data": output.flatten().tolist()}]}


def main():
    port, path = int(sys.argv[1]), sys.argv[2]
    torch.set_num_threads(1)
    app.state.model = torch.jit.freeze(torch.jit.load(path).eval())
    uvicorn.run(app, host="127.0.0.1", port=port, loop="uvloop", http="httptools",
                log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
