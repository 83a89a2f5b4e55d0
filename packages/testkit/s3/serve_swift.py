"""An S3 service for tests: the four servers of OpenStack Swift with its s3api, in one process, on loopback, objects in memory.

serve_swift.py FOLDER KEY SECRET: prints the port when it answers. It ends with its standard input. The signatures of requests are checked.
"""

import os
import sys

import eventlet

eventlet.monkey_patch()

from array import array  # noqa: E402
from eventlet import wsgi  # noqa: E402
from swift.common import utils  # noqa: E402
from swift.common.ring import RingData  # noqa: E402
from swift.common.wsgi import loadapp  # noqa: E402


class Memcache:
    """What the middlewares keep for each other; the servers share this process."""

    def __init__(self):
        self.values = {}

    def get(self, key, **_):
        return self.values.get(key)

    def set(self, key, value, **_):
        self.values[key] = value

    def incr(self, key, delta=1, **_):
        self.values[key] = int(self.values.get(key, 0)) + delta
        return self.values[key]

    def delete(self, key, **_):
        self.values.pop(key, None)

    def decr(self, key, delta=1, **_):
        return self.incr(key, -delta)


class WithCache:
    def __init__(self, app):
        self.app, self.cache = app, Memcache()

    def __call__(self, env, start_response):
        env["swift.cache"] = self.cache
        return self.app(env, start_response)


class Quiet:
    def write(self, _):
        pass

    def flush(self):
        pass


def serve(app):
    socket = eventlet.listen(("127.0.0.1", 0))
    eventlet.spawn(wsgi.server, socket, app, log=Quiet(), log_output=False, custom_pool=eventlet.GreenPool(200))
    return socket.getsockname()[1]


def write(path, text):
    with open(path, "w") as file:
        file.write(text)
    return path


def main(folder, key, secret):
    write(os.path.join(folder, "swift.conf"), "[swift-hash]\nswift_hash_path_suffix = tests\n[swift-constraints]\n")
    utils.SWIFT_CONF_FILE = os.path.join(folder, "swift.conf")
    utils.HASH_PATH_SUFFIX, utils.HASH_PATH_PREFIX = b"tests", b""
    utils.validate_hash_conf = lambda: None
    devices = os.path.join(folder, "devices")
    os.makedirs(os.path.join(devices, "d"))
    default = f"[DEFAULT]\nswift_dir = {folder}\ndevices = {devices}\nmount_check = false\nlog_level = ERROR\nlog_address = {folder}/none\n"
    for name, egg in (("account", "account"), ("container", "container"), ("object", "mem_object")):
        config = write(os.path.join(folder, f"{name}.conf"), f"{default}[pipeline:main]\npipeline = app\n[app:app]\nuse = egg:swift#{egg}\n")
        # the ring first: the container server reads those of the accounts
        listen = eventlet.listen(("127.0.0.1", 0))
        port = listen.getsockname()[1]
        device = {"id": 0, "zone": 0, "region": 1, "device": "d", "ip": "127.0.0.1", "port": port, "weight": 1.0}
        device.update({"replication_ip": "127.0.0.1", "replication_port": port, "meta": ""})
        RingData([array("H", [0, 0])], [device], 31).save(os.path.join(folder, f"{name}.ring.gz"))
        eventlet.spawn(wsgi.server, listen, loadapp(config), log=Quiet(), log_output=False, custom_pool=eventlet.GreenPool(200))
    pipeline = "catch_errors gatekeeper listing_formats s3api tempauth copy slo dlo proxy-server"
    filters = "".join(f"[filter:{name}]\nuse = egg:swift#{name}\n" for name in pipeline.split()[:-1] if name not in ("s3api", "tempauth"))
    filters += "[filter:s3api]\nuse = egg:swift#s3api\ns3_acl = false\nlocation = us-east-1\n"
    account, user = key.split(":")
    filters += f"[filter:tempauth]\nuse = egg:swift#tempauth\nuser_{account}_{user} = {secret} .admin\n"
    proxy = f"{default}[pipeline:main]\npipeline = {pipeline}\n{filters}[app:proxy-server]\nuse = egg:swift#proxy\naccount_autocreate = true\nallow_account_management = true\n"
    app = WithCache(loadapp(write(os.path.join(folder, "proxy.conf"), proxy)))
    print(serve(app), flush=True)
    eventlet.tpool.execute(sys.stdin.read)


main(*sys.argv[1:4])
