"""Callbacks of WeCom: signed with SHA-1, encrypted with AES-256-CBC.

https://developer.work.weixin.qq.com/document/path/90968
"""

import base64
import hashlib
import hmac
import struct
from xml.etree import ElementTree

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from app.channels.message import Message, Refused

RANDOM_BYTES = 16
PADDING_BLOCK = 32


def verify(token: str, timestamp: str, nonce: str, encrypted: str, signature: str) -> None:
    signed = "".join(sorted((token, timestamp, nonce, encrypted)))
    if not hmac.compare_digest(hashlib.sha1(signed.encode()).hexdigest(), signature):
        raise Refused("its signature is not WeCom's")


def decrypt(aes_key: str, encrypted: str) -> bytes:
    """16 random bytes, the length as 4 bytes, the content, the receiver's id; padded to 32."""
    key = base64.b64decode(aes_key + "=")
    decryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).decryptor()
    try:
        padded = decryptor.update(base64.b64decode(encrypted)) + decryptor.finalize()
        plain = padded[: -padded[-1]] if 1 <= padded[-1] <= PADDING_BLOCK else b""
        (length,) = struct.unpack_from(">I", plain, RANDOM_BYTES)
    except (ValueError, IndexError, struct.error) as error:
        raise Refused("it cannot be decrypted with this key") from error
    start = RANDOM_BYTES + 4
    return plain[start : start + length]


def encrypted_part(body: bytes) -> str:
    return field(body, "Encrypt")


def message(content: bytes) -> Message:
    return Message("wecom", field(content, "FromUserName"), field(content, "Content"))


def field(xml: bytes, name: str) -> str:
    # expat expands entities: a callback never has any.
    if b"<!" in xml.replace(b"<![CDATA[", b""):
        raise Refused("it declares a document type")
    try:
        found = ElementTree.fromstring(xml).findtext(name)
    except ElementTree.ParseError as error:
        raise Refused("it is not XML") from error
    if found is None:
        raise Refused(f"it has no {name}")
    return found
