"""What Libreswan's cavp prints for a file, computed with Python's and cryptography's primitives."""

import hmac
from hashlib import new as new_hash

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from peers.lab.program import Ended

BY_SIZE = {"20": "sha1", "32": "sha256", "48": "sha384", "64": "sha512"}
BY_NAME = {"SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}


def flip(value):
    """Change the last digit; where there is none, two zeros too many."""
    return value[:-1] + f"{int(value[-1], 16) ^ 1:x}" if value else "00"


class Simulator:
    """Stands where `run_once` is called; ``wrong`` names the answers that come out wrong.

    With ``any_size`` it goes by the size that an ICV has, not by what it should have.
    """

    def __init__(self, wrong=(), status=0, cut=None, version=b"5.2-2.2", any_size=False):
        self.wrong = wrong
        self.version = version
        self.any_size = any_size
        self.status = status
        self.cut = cut

    def __call__(self, client, image, command, files):
        if command[0] == "dpkg-query":
            return Ended(0, self.version, "")
        text = files[command[-1].removeprefix("/")].decode()
        output = "".join(f"{line}\r\n" for line in self.lines(command[1:-1], text))
        return Ended(self.status, output[: self.cut].encode(), "test: a test\nthe last line")

    def lines(self, options, text):
        compute = COMPUTED[options[0] if options else text.partition("\n")[0]]
        section = {"any_size": self.any_size}
        for paragraph in text.split("\n\n"):
            lines = paragraph.strip("\n").split("\n")
            values = {}
            for line in lines:
                name, _, value = line.strip("[]").partition(" = ")
                if line.startswith("["):
                    # Names without a value replace each other.
                    section.update({name: value} if value else {"hash": name})
                elif line and line[0] != "#":
                    values[name.removesuffix(" =")] = value
            if paragraph.startswith("["):
                yield from lines
            elif values:
                yield from lines
                yield from self.answers(compute(section, values))
            yield ""

    def answers(self, computed):
        for name, value in computed:
            if value is None:
                # A tag that does not verify.
                yield "PT = 00" if "FAIL" in self.wrong else "FAIL"
            elif name == "":
                yield ""
            else:
                yield f"{name} = {flip(value) if name in self.wrong else value}"


def hmac_of(section, values):
    mac = hmac.digest(octets(values["Key"]), octets(values["Msg"]), BY_SIZE[section["L"]])
    return [("Mac", mac[: int(values["Tlen"])].hex())]


def decrypted(section, values):
    icv = octets(values["Tag"])
    as_told = 8 * len(icv) == int(section["Taglen"])
    if not as_told and not (section["any_size"] and len(icv) in (4, 8, 12, 13, 14, 15, 16)):
        return [("PT", None)]
    mode = modes.GCM(octets(values["IV"]), icv, min_tag_length=4)
    decryptor = Cipher(algorithms.AES(octets(values["Key"])), mode).decryptor()
    decryptor.authenticate_additional_data(octets(values["AAD"]))
    plaintext = decryptor.update(octets(values["CT"]))
    try:
        return [("PT", (plaintext + decryptor.finalize()).hex())]
    except InvalidTag:
        return [("PT", None)]


def digest(section, values):
    data = octets(values["Msg"])[: int(values["Len"]) // 8]
    return [("MD", new_hash(BY_SIZE[section["L"]], data).hexdigest())]


def chain(section, values):
    found, seed = [], octets(values["Seed"])
    for count in range(100):
        last = [seed, seed, seed]
        for _ in range(1000):
            last = [*last[1:], new_hash(BY_SIZE[section["L"]], b"".join(last)).digest()]
        seed = last[-1]
        found += [("", ""), ("COUNT", str(count)), ("MD", seed.hex())]
    return found


def derived(section, values):
    name = BY_NAME[section["hash"]]

    def prf(key, data):
        return hmac.digest(key, data, name)

    def expand(key, data, size):
        block, stream = b"", b""
        while len(stream) < size:
            block = prf(key, block + data + bytes([len(stream) // len(prf(b"", b"")) + 1]))
            stream += block
        return stream[:size]

    nonces = octets(values["Ni"] + values["Nr"])
    size, child_size = (int(section[n]) // 8 for n in ("DKM length", "Child SA DKM length"))
    new = octets(values["g^ir (new)"])
    skeyseed = prf(nonces, octets(values["g^ir"]))
    keymat = expand(skeyseed, nonces + octets(values["SPIi"] + values["SPIr"]), size)
    sk_d = keymat[: len(skeyseed)]
    found = {
        "SKEYSEED": skeyseed,
        "DKM": keymat,
        "DKM(Child SA)": expand(sk_d, nonces, child_size),
        "DKM(Child SA D-H)": expand(sk_d, new + nonces, child_size),
        "SKEYSEED(Rekey)": prf(sk_d, new + nonces),
    }
    return [(each, value.hex()) for each, value in found.items()]


octets = bytes.fromhex

COMPUTED = {
    "-hmac": hmac_of,
    "-gcm": decrypted,
    "-sha": digest,
    '#  "SHA Monte"': chain,
    "-v2": derived,
}
