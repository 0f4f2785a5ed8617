"""A headless Chromium for tests: pages are opened, clicked and read by its debugging protocol.

The protocol goes through two pipes, so no port is opened and no further package is needed.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import time
from pathlib import Path

BINARY = shutil.which("chromium") or shutil.which("google-chrome")
PATIENCE = 60.0

KEYS = {
    "ArrowRight": 39,
    "ArrowLeft": 37,
    "ArrowUp": 38,
    "ArrowDown": 40,
    "Home": 36,
    "End": 35,
    "Escape": 27,
    "Tab": 9,
    "Enter": 13,
    " ": 32,
}


class Chromium:
    """One browser with one page, without a network.

    Parameters
    ----------
    folder : path
        For its profile and what it saves.
    """

    def __init__(self, folder):
        self.folder = Path(folder)
        to_browser, self._write = os.pipe()
        self._read, from_browser = os.pipe()

        def connect():  # the browser reads from 3 and writes to 4
            kept = os.dup(to_browser), os.dup(from_browser)
            os.dup2(kept[0], 3)
            os.dup2(kept[1], 4)

        self._process = subprocess.Popen(
            [
                *(BINARY, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"),
                *("--disable-dev-shm-usage", "--disable-sync", "--disable-component-update"),
                *("--disable-background-networking", "--host-resolver-rules=MAP * ~NOTFOUND"),
                *(f"--user-data-dir={self.folder / 'profile'}", "--remote-debugging-pipe"),
                "about:blank",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            close_fds=False,
            preexec_fn=connect,
        )
        os.close(to_browser)
        os.close(from_browser)
        self._rest, self._number, self._session, self.errors = b"", 0, None, []
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        attached = self._call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self._call(f"{domain}.enable")
        saved = {"behavior": "allow", "downloadPath": str(self.folder)}
        self._call("Browser.setDownloadBehavior", **saved)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self._write)
        self._process.terminate()
        self._process.wait(timeout=PATIENCE)
        os.close(self._read)

    def look(self, *, width, height=900, dark=False):
        """Set the size of the window, and whether the reader likes it dark."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self._call("Emulation.setDeviceMetricsOverride", **size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._call("Emulation.setEmulatedMedia", features=[scheme])

    def open(self, path, address=""):
        """Open a file, at an address in it."""
        self._call("Page.navigate", url="about:blank")
        self._call("Page.navigate", url=Path(path).resolve().as_uri() + address)

    def evaluate(self, script):
        """Return the value of a script in the page."""
        asked = {"expression": script, "returnByValue": True, "awaitPromise": True}
        found = self._call("Runtime.evaluate", **asked)
        if "exceptionDetails" in found:
            raise AssertionError(found["exceptionDetails"]["exception"].get("description"))
        return found["result"].get("value")

    def wait(self, script):
        """Wait until a script in the page has a true value, and return it."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if value := self.evaluate(script):
                return value
            time.sleep(0.02)
        raise AssertionError(f"never true: {script}; errors: {self.errors}")

    def click(self, where):
        """Click on the middle of an element, as a hand does."""
        box = self.evaluate(
            f"(() => {{ const one = document.querySelector({json.dumps(where)});"
            "one.scrollIntoView({block: 'center'}); const b = one.getBoundingClientRect();"
            "return [b.left + b.width / 2, b.top + b.height / 2]; })()"
        )
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            self.mouse(kind, *box)

    def mouse(self, kind, x, y):
        """Move the pointer, or press or release its button."""
        button = {} if kind == "mouseMoved" else {"button": "left", "clickCount": 1}
        self._call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **button)

    def key(self, name):
        """Press a key and release it."""
        code = {"key": name, "windowsVirtualKeyCode": KEYS[name], "code": name}
        for kind in ("rawKeyDown", "keyUp"):
            self._call("Input.dispatchKeyEvent", type=kind, **code)

    def picture(self, path, *, whole=False):
        """Save what is seen as PNG, or all of the page."""
        data = self._call("Page.captureScreenshot", captureBeyondViewport=whole)["data"]
        Path(path).write_bytes(base64.b64decode(data))

    def print(self, path):
        """Save the page as PDF, on the paper that its style asks for; return its bytes."""
        asked = {"preferCSSPageSize": True, "printBackground": True}
        content = base64.b64decode(self._call("Page.printToPDF", **asked)["data"])
        Path(path).write_bytes(content)
        return content

    def _call(self, method, **parameters):
        self._number += 1
        asked = {"id": self._number, "method": method, "params": parameters}
        if self._session and not method.startswith(("Target.", "Browser.")):
            asked["sessionId"] = self._session
        os.write(self._write, json.dumps(asked).encode() + b"\0")
        while True:
            message = self._next()
            if message.get("id") == self._number:
                if "error" in message:
                    raise AssertionError(f"{method}: {message['error']['message']}")
                return message["result"]
            self._note(message)

    def _note(self, message):
        parameters = message.get("params", {})
        if message.get("method") == "Runtime.exceptionThrown":
            details = parameters["exceptionDetails"]
            self.errors.append(details.get("exception", {}).get("description", details["text"]))
        elif message.get("method") == "Log.entryAdded":
            self.errors.append(parameters["entry"]["text"])

    def _next(self):
        while b"\0" not in self._rest:
            read = os.read(self._read, 1 << 16)
            if not read:
                raise AssertionError("Chromium has ended")
            self._rest += read
        whole, _, self._rest = self._rest.partition(b"\0")
        return json.loads(whole)
