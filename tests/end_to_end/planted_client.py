"""A client in a process of its own that sends what the plan of a number has.

It gets the plan from the live endpoint, as a secret in an argument or a file would be a leak by the
test itself.
"""

PROGRAM = """
import base64, http.client, json, sys
from urllib.parse import urlsplit

def fetch(url, method="GET", body=None, headers={}):
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc)
    target = parts.path + ("?" + parts.query if parts.query else "")
    connection.request(method, target, body, headers)
    answer = connection.getresponse().read()
    connection.close()
    return answer

def ask(control, base_url, number):
    plan = json.loads(fetch(f"{control}/plans/{number}"))
    url = f"{base_url}/{number}/chat/completions{plan['path']}{plan['query']}"
    fetch(url, "POST", base64.b64decode(plan["body"]), plan["headers"])

if __name__ == "__main__":
    import os
    for number in sys.argv[2:]:
        ask(sys.argv[1], os.environ["OPENAI_BASE_URL"], number)
"""
