# Hashes: digests, parameters, errors.
import _blake2
import _hashlib
import _md5
import _sha1
import _sha2
import _sha3

DATA = [b"", b"a", b"abc" * 7, bytes(range(256)), b"x" * 127, b"x" * 128, b"x" * 129, b"y" * 5000]


def attempt(function, *arguments, **keywords):
    try:
        result = function(*arguments, **keywords)
        if hasattr(result, "hexdigest"):
            result = result.name, result.digest_size, result.block_size, result.hexdigest(*[9] * (result.digest_size == 0))[:40]
    except Exception as error:
        result = type(error).__name__ + ": " + str(error)
    print(getattr(function, "__name__", function), ascii(arguments)[:60], ascii(keywords)[:60], "->", result)


for function in [_md5.md5, _sha1.sha1, _sha2.sha224, _sha2.sha256, _sha2.sha384, _sha2.sha512, _sha3.sha3_224, _sha3.sha3_256,
                 _sha3.sha3_512, _sha3.shake_128, _sha3.shake_256, _blake2.blake2b, _blake2.blake2s, _hashlib.openssl_md5,
                 _hashlib.openssl_sha512, _hashlib.openssl_shake_128]:
    for data in DATA:
        attempt(function, data)
    attempt(function, "text")
    attempt(function, 5)
    attempt(function, string=b"old name")
    attempt(function, b"x", string=b"y")
    hash = function(b"first")
    twin = hash.copy()
    hash.update(b"second")
    twin.update(bytearray(b"second"))
    length = [20] * (hash.digest_size == 0)
    print(hash.digest(*length) == twin.digest(*length) == function(b"firstsecond").digest(*length), type(hash).__name__)
for name in ["sha256", "SHA256", "sha512_256", "sha3_384", "blake2b", "blake2s", "nosuch", 5]:
    attempt(_hashlib.new, name, b"data")
print(_hashlib.openssl_sha256() .__class__.__mro__[0].__name__, _hashlib.openssl_shake_256().__class__.__mro__[:2])
blake = _blake2.blake2b
for keywords in [dict(digest_size=0), dict(digest_size=65), dict(digest_size=20), dict(key=b"x" * 65), dict(key=b"k"), dict(salt=b"x" * 17), dict(salt=b"s"),
                 dict(person=b"x" * 17), dict(person=b"p"), dict(fanout=256), dict(fanout=-1), dict(fanout=0), dict(depth=0), dict(depth=2), dict(leaf_size=-1),
                 dict(leaf_size=2**32), dict(leaf_size=4096), dict(node_offset=-1), dict(node_offset=2**64), dict(node_offset=2**64 - 1), dict(node_depth=256),
                 dict(node_depth=1), dict(inner_size=65), dict(inner_size=64), dict(last_node=True), dict(key="a"), dict(digest_size="a")]:
    attempt(blake, b"data", **keywords)
attempt(_blake2.blake2s, node_offset=2**48)
attempt(_blake2.blake2s, node_offset=2**48 - 1, key=b"x" * 32, salt=b"12345678", person=b"abc")
attempt(_blake2.blake2s, key=b"x" * 33)
print(blake.MAX_DIGEST_SIZE, blake.SALT_SIZE, _blake2.BLAKE2S_MAX_KEY_SIZE)
for key in [b"", b"k", b"k" * 64, b"k" * 65, b"k" * 200]:
    print(_hashlib.hmac_digest(key, b"message", "sha256").hex()[:20], _hashlib.hmac_new(key, b"message", "md5").hexdigest())
hmac = _hashlib.hmac_new(b"key", digestmod=_hashlib.openssl_sha1)
hmac.update(b"mess")
twin = hmac.copy()
twin.update(b"age")
print(hmac.name, hmac.digest_size, hmac.block_size, hmac.hexdigest(), twin.hexdigest())
attempt(_hashlib.hmac_new, b"k")
attempt(_hashlib.hmac_new, b"k", b"m", "nosuch")
attempt(_hashlib.hmac_new, "k", b"m", "md5")
attempt(_hashlib.hmac_new, b"k", b"m", 5)
attempt(_hashlib.pbkdf2_hmac, "sha1", b"password", b"salt", 3)
attempt(_hashlib.pbkdf2_hmac, "sha256", b"password", b"salt", 3, 50)
attempt(_hashlib.pbkdf2_hmac, "nosuch", b"p", b"s", 2)
attempt(_hashlib.pbkdf2_hmac, "sha1", b"p", b"s", 0)
attempt(_hashlib.pbkdf2_hmac, "sha1", b"p", b"s", 2, 0)
attempt(_hashlib.pbkdf2_hmac, "sha1", b"p", b"s", 2, 2**40)
attempt(_hashlib.pbkdf2_hmac, "sha1", b"p", b"s", 2**40)
attempt(_hashlib.scrypt, b"p", salt=b"s", n=16, r=2, p=1, dklen=20)
attempt(_hashlib.scrypt, b"p", salt=b"s", n=3, r=1, p=1)
attempt(_hashlib.scrypt, b"p", salt=b"s", n=2, r=1, p=1, maxmem=-1)
attempt(_hashlib.scrypt, b"p", salt=b"s", n=2, r=1, p=1, dklen=0)
for a, b in [(b"a", b"a"), (b"a", b"b"), (b"a", b"ab"), ("a", "a"), ("a", b"a"), ("\xe9", "a"), (1, 2), (bytearray(b"x"), b"x")]:
    attempt(_hashlib.compare_digest, a, b)
print({"md5", "sha1", "sha256", "sha3_256", "blake2b", "shake_128"} <= _hashlib.openssl_md_meth_names)
