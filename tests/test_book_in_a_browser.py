"""Every page of the book, as a browser shows it on a desk and on a phone: it holds offline."""

import functools
import http.server
import threading
from pathlib import Path

import pytest
from browser import browser

BOOK = Path(__file__).parent.parent / "book" / "_build" / "html"
PAGES = sorted(path.name for path in BOOK.glob("*.html"))
WIDTHS = (1280, 390)
LEAST = 4.5  # contrast of text with what is behind it (WCAG 2.2, AA)
pytestmark = [pytest.mark.slow, pytest.mark.skipif(not PAGES, reason="no book is built: make book")]

LOOK = """
(least) => {
  const found = [];
  const levels = [...document.querySelectorAll('main h1, main h2, main h3, main h4')]
    .map(h => Number(h.tagName[1]));
  levels.forEach((level, i) => {
    if (i && level > levels[i - 1] + 1) found.push(`heading ${level} after ${levels[i - 1]}`);
  });
  for (const image of document.querySelectorAll('main img')) {
    const alt = image.alt.trim();
    if (!alt || image.src.endsWith(alt)) found.push('no alternative text: ' + image.src);
    if (!image.naturalWidth) found.push('not loaded: ' + image.src);
  }
  const wide = document.documentElement.scrollWidth - window.innerWidth;
  if (wide > 0) found.push(`${wide} px wider than the screen`);
  for (const code of document.querySelectorAll('main .cell_input pre')) { // on a phone it may scroll
    if (window.innerWidth < 1280 || code.scrollWidth <= code.clientWidth) continue;
    found.push('code wider than its cell: ' + code.textContent.trim().slice(0, 40));
  }
  const shade = (colour) => {
    const linear = (c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    const [r, g, b] = colour.map(c => linear(c / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const read = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const [r, g, b, a = 1] = read(getComputedStyle(e).backgroundColor);
      if (a > 0.99) return [r, g, b];
    }
    return [255, 255, 255];
  };
  const walker = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT);
  const said = new Set();
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const box = element.getBoundingClientRect();
    if (!walker.currentNode.textContent.trim() || !box.width || !box.height) continue;
    if (getComputedStyle(element).visibility === 'hidden') continue;
    const front = read(getComputedStyle(element).color);
    if (front.length > 3 && front[3] < 0.99) continue;
    const [a, b] = [shade(front.slice(0, 3)), shade(behind(element))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    const name = element.tagName + '.' + element.className;
    if (ratio < least && !said.has(name)) {
      said.add(name);
      const text = walker.currentNode.textContent.trim().slice(0, 40);
      found.push(`contrast ${ratio.toFixed(2)}: ${name}: ${text}`);
    }
  }
  return found;
}
"""


@pytest.fixture(scope="module")
def site():
    """The address of the book on this machine."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=BOOK)
    handler.log_message = lambda *words: None
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture(scope="module")
def chromium():
    with browser() as found:
        yield found


@pytest.fixture(params=["light", "dark"])
def colours(request):
    return request.param


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_holds(name, width, colours, chromium, site):
    page = chromium.new_page(viewport={"width": width, "height": 900}, color_scheme=colours)
    asked, errors = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("requestfailed", lambda request: errors.append(f"failed: {request.url}"))
    page.goto(f"{site}/{name}", wait_until="load")
    found = page.evaluate(LOOK, LEAST)
    page.close()
    assert [url for url in asked if not url.startswith((site, "data:", "blob:"))] == []
    assert errors == []
    assert found == []


def test_every_link_and_anchor_leads_somewhere(chromium, site):
    page = chromium.new_page()
    links, anchors = {}, {}
    for name in PAGES:
        page.goto(f"{site}/{name}", wait_until="domcontentloaded")
        links[name] = page.eval_on_selector_all("main a[href]", "found => found.map(a => a.href)")
        anchors[f"{site}/{name}"] = set(page.eval_on_selector_all("[id]", "found => found.map(e => e.id)"))
    page.close()
    lost = []
    for name, found in links.items():
        for link in found:
            place, _, anchor = link.partition("#")
            if not link.startswith(site):
                continue
            there = place in anchors or (BOOK / place.removeprefix(site + "/")).exists()
            if not there or (anchor and place in anchors and anchor not in anchors[place]):
                lost.append(f"{name}: {link}")
    assert lost == []


def test_the_look_sees_what_is_wrong(chromium):
    page = chromium.new_page(viewport={"width": 390, "height": 900})
    page.set_content("<main><h1>a</h1><h3>b</h3><img src='x.png'><div style='width: 900px'>d</div>"
                     "<p style='color: #aaa; background: #fff'>c</p></main>")
    found = " ".join(page.evaluate(LOOK, LEAST))
    page.close()
    page = chromium.new_page(viewport={"width": 1280, "height": 900})
    page.set_content("<main><div class='cell_input'><pre style='width: 9em; overflow: auto'>"
                     "a line that is wider than its cell</pre></div></main>")
    found += " ".join(page.evaluate(LOOK, LEAST))
    page.close()
    for said in ("heading 3 after 1", "no alternative text", "not loaded", "wider than the screen",
                 "contrast 2.32", "code wider than its cell: a line"):
        assert said in found
