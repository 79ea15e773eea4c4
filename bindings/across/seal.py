"""Seals `plain` as `object` and `object.envelope`, for `reader`, by `owner`; all in this folder."""

import bailiwick as bw

owner, reader = bw.OwnerKey.generate(), bw.RecipientKey.generate()
owner.save("owner")
reader.save("reader")
with open("plain", "wb") as f:
    f.write(bytes(i * 13 % 256 for i in range(123_456)))
info = bw.seal_file("plain", "object", owner=owner, to=[reader.public])
with open("object.envelope", "rb") as f:
    assert f.read() == info.envelope
