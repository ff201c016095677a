"""What prose may become, read back by a parser of HTML: every element and attribute is on a list, and every tag is closed."""

import re
from html.parser import HTMLParser

MATHML = (
    "math mrow mi mo mn mtext mspace mfrac msqrt mroot msub msup msubsup munder mover munderover mtable mtr mtd "
    "mstyle mpadded mphantom"
)
PROSE = (
    "h2 h3 h4 p em strong s a ul ol li dl dt dd blockquote pre code span div table thead tbody tr th td figure figcaption "
    "img sup hr br button noscript"
)
SVG = "svg g defs path use text tspan image clippath rect circle ellipse line polyline polygon pattern lineargradient radialgradient stop"
ELEMENTS = frozenset(f"{MATHML} {PROSE} {SVG}".split(" "))
EMPTY = frozenset(("img", "hr", "br"))
WORDS = re.compile(
    r"class|id|role|aria-label|aria-hidden|data-(tex|cell|run|out|figure)|tabindex|hidden|type|start|alt|loading"
)
LINKS = re.compile(r"https?://[^@\s]+|mailto:\S+|#[^\s\"'<>]+|/lesson/\d+\.\d+(#\S+)?", re.IGNORECASE)
OURS = re.compile(r"/lesson/\d+\.\d+/figure/\w+\.svg")
NEVER = re.compile(r"on\w+|style|srcdoc|formaction|action|xlink:href|hx-on.*|data-hx.*")


class Reader(HTMLParser):
    """Reads HTML as a browser would begin to, and asserts that nothing in it is off the lists."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict]] = []
        self.text = ""

    def handle_starttag(self, tag, attributes):
        assert tag in ELEMENTS, f"<{tag}>"
        assert len(dict(attributes)) == len(attributes), f"an attribute twice in <{tag}>"
        self.elements.append((tag, dict(attributes)))
        for key, value in attributes:
            self.check(tag, key, value or "")
        if tag not in EMPTY:
            self.open.append(tag)

    def check(self, tag, key, value):
        assert not NEVER.fullmatch(key), f'{key}="{value}" of <{tag}>'
        if key == "href":
            if tag in ("use", "image"):
                assert re.fullmatch(r"#[\w.-]+|data:image/png;base64,[A-Za-z0-9+/=]*", value), value
            else:
                assert tag == "a" and LINKS.fullmatch(value), f'href="{value}" of <{tag}>'
        elif key == "src":
            assert tag == "img" and OURS.fullmatch(value), value
        elif key.startswith("hx-"):
            assert tag == "div" and {
                "hx-get": OURS,
                "hx-trigger": re.compile("load"),
                "hx-swap": re.compile("outerHTML"),
                "hx-sync": re.compile("closest article:queue all"),
            }[key].fullmatch(value), f'{key}="{value}"'
        elif key in ("rel", "target"):
            assert value in ("noreferrer noopener", "_blank"), value
        elif not WORDS.fullmatch(key):
            assert tag in MATHML.split(" ") or tag in SVG.split(" "), f'{key}="{value}" of <{tag}>'
            assert not re.search(r"javascript|expression|url\((?!#)|@import|data:", value, re.IGNORECASE), value

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        assert tag in EMPTY, f"<{tag}/>"

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data):
        self.text += data

    def refuse(self, data):
        raise AssertionError(f"a comment or declaration: {data[:80]}")

    handle_comment = handle_decl = handle_pi = unknown_decl = refuse


def read(html: str) -> Reader:
    """The HTML, read; AssertionError where something in it may do more than be shown."""
    reader = Reader()
    reader.feed(str(html))
    reader.close()
    assert not reader.open, f"left open: {reader.open}"
    return reader
