"""A program that knows nothing of Symbolon but the gateway's HTTP interface: one JSON request in, status and JSON answer out."""

import json
import ssl
import sys
import urllib.error
import urllib.request

call = json.load(sys.stdin)
context = ssl.create_default_context(cafile=call["trust"])
if call.get("certificate"):
    context.load_cert_chain(call["certificate"], call["key"])
headers = {"Content-Type": call.get("media_type", "application/json")}
if call.get("token"):
    headers["Authorization"] = "Bearer " + call["token"]
body = call.get("raw", json.dumps(call["body"]) if "body" in call else None)
request = urllib.request.Request(call["url"], body.encode() if body is not None else None, headers)
try:
    with urllib.request.urlopen(request, context=context, timeout=60) as answer:
        status, content = answer.status, answer.read()
except urllib.error.HTTPError as refusal:
    status, content = refusal.code, refusal.read()
print(json.dumps({"status": status, "answer": json.loads(content)}))
