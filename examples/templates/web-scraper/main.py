"""Prints the title and the links of a page. The hosts that it may reach are in the program's network settings."""

import sys
import urllib.request
from html.parser import HTMLParser
from urllib.parse import urljoin


class Links(HTMLParser):
    def __init__(self):
        super().__init__()
        self.title, self.links, self._in_title = "", [], False

    def handle_starttag(self, tag, attributes):
        self._in_title = tag == "title"
        href = dict(attributes).get("href")
        if tag == "a" and href:
            self.links.append(href)

    def handle_data(self, data):
        if self._in_title:
            self.title += data

    def handle_endtag(self, tag):
        self._in_title = False


url = sys.argv[1] if len(sys.argv) > 1 else "https://example.org/"
with urllib.request.urlopen(url, timeout=20) as response:
    page = response.read().decode(response.headers.get_content_charset() or "utf-8", "replace")
links = Links()
links.feed(page)
print(links.title.strip())
for link in links.links:
    print(urljoin(url, link))
