"""A TorchScript program that doubles its input, made without LibTorch."""

import base64
import hashlib
import io
import zipfile

CONFIG = """\
max_batch_size = 8
isolation = "thread"
[[inputs]]
name = "x"
datatype = "FP32"
dims = [2]
[[outputs]]
name = "y"
datatype = "FP32"
dims = [2]
labels = ["left", "right"]
"""

CODE = """\
class M(Module):
  __parameters__ = []
  __buffers__ = []
  def forward(self: __torch__.M,
    x: Tensor) -> Tensor:
    return torch.add(x, x)
"""

# An object of the class above without a member, and no constants, as pickles.
OBJECT = b"\x80\x02c__torch__\nM\n)\x81}(ub."
CONSTANTS = b"\x80\x02)."


def doubling_program():
    """The bytes of the file."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in (("data.pkl", OBJECT), ("code/__torch__.py", CODE.encode()),
                           ("constants.pkl", CONSTANTS), ("version", b"3\n")):
            archive.writestr(zipfile.ZipInfo("archive/" + name), data)
    return file.getvalue()


def upload_fields(program):
    """The header fields that an upload of the program needs, but for Content-Range."""
    digest = base64.b64encode(hashlib.sha256(program).digest()).decode()
    return {"X-Dim-Model-Config": base64.b64encode(CONFIG.encode()).decode(),
            "Digest": f"sha-256={digest}"}
