import pytest

from flowstudio.providers.errors import BadAnswerError, BadParamError, NotFoundError
from flowstudio.providers.ports import HttpAnswer

RSS = """<?xml version="1.0"?><rss version="2.0"><channel><title>News</title><link>https://example.com/</link>
<item><title>One &amp; only</title><link>/1</link><description>&lt;b&gt;Hi&lt;/b&gt;
&lt;script&gt;x&lt;/script&gt;</description>
<guid isPermaLink="false">id-1</guid><pubDate>Tue, 10 Jun 2003 04:00:00 +0200</pubDate>
<author>ada@example.com (Ada)</author></item>
<item><title>Two</title><link>https://example.com/2</link></item></channel></rss>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><title>Atom</title><link href="https://example.com/"/>
<entry><title>E</title><id>urn:1</id><link href="https://example.com/e"/><updated>2024-02-29T12:00:00Z</updated>
<author><name>Bo</name></author><summary>s</summary></entry></feed>"""
RDF = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/">
<channel rdf:about="https://example.com/"><title>Rdf</title><link>https://example.com/</link></channel>
<item rdf:about="https://example.com/r"><title>R</title><link>https://example.com/r</link></item></rdf:RDF>"""


class Canned:
    """Answers every call with the same content."""

    def __init__(self, content: bytes, status: int = 200, content_type: str = "application/xml") -> None:
        self.answer = (content, status, content_type)
        self.calls = []

    def send(self, call, *, cancel, limits):
        self.calls.append((call, limits))
        content, status, content_type = self.answer
        return HttpAnswer(status, {"content-type": content_type}, content, call.url, 1.0)


def feed(act, content: str | bytes, **more):
    act.http = Canned(content.encode() if isinstance(content, str) else content, **more)
    return act.output("rss", "parse_feed", feed_url="https://example.com/feed")


def test_rss_is_read_with_absolute_links_utc_times_and_safe_html(act) -> None:
    out = feed(act, RSS)
    assert (out["title"], out["link"], len(out["items"])) == ("News", "https://example.com/", 2)
    assert out["items"][0] == {
        "title": "One & only",
        "link": "https://example.com/1",
        "summary": "<b>Hi</b>",
        "published": "2003-06-10T02:00:00+00:00",
        "id": "id-1",
        "author": "ada@example.com (Ada)",
    }
    assert out["items"][1]["published"] is None
    assert out["items"][1]["id"] == "https://example.com/2"


@pytest.mark.parametrize(("content", "title", "first"), [(ATOM, "Atom", "E"), (RDF, "Rdf", "R")])
def test_atom_and_rdf_are_read(act, content, title, first) -> None:
    out = feed(act, content)
    assert (out["title"], [each["title"] for each in out["items"]]) == (title, [first])


def test_a_feed_that_is_not_well_formed_is_still_read(act) -> None:
    assert feed(act, RSS.replace("One &amp; only", "One & only <br>"))["items"][1]["title"] == "Two"


def test_an_old_feed_with_a_document_type_is_read(act) -> None:
    doctype = '<!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" "http://my.netscape.com/rss.dtd">'
    assert feed(act, RSS.replace("<rss", f"{doctype}<rss", 1))["title"] == "News"


BOMB = '<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
LEAK = '<!DOCTYPE r [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize("doctype", [BOMB, LEAK])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_feed_that_declares_entities_is_refused(act, doctype, encoding) -> None:
    text = RSS.replace("<rss", f"{doctype}<rss", 1).replace('"1.0"', f'"1.0" encoding="{encoding}"', 1)
    with pytest.raises(BadAnswerError, match="declares XML entities"):
        feed(act, text.encode(encoding))


def test_a_web_page_is_not_taken_for_a_feed(act) -> None:
    with pytest.raises(BadAnswerError, match=r"not a feed \(text/html\)"):
        feed(act, "<html><body>Hello</body></html>", content_type="text/html; charset=utf-8")


def test_an_answer_that_reads_like_a_path_is_never_opened(act) -> None:
    with pytest.raises(BadAnswerError, match="not a feed"):
        feed(act, b"/etc/passwd")


def test_a_feed_that_is_gone_is_a_sentence(act) -> None:
    with pytest.raises(NotFoundError, match=r"example\.com"):
        feed(act, "", status=404)


@pytest.mark.parametrize("address", ["file:///etc/passwd", "example.com/feed", "https://"])
def test_only_web_addresses_are_fetched(act, address) -> None:
    act.http = Canned(b"")
    with pytest.raises(BadParamError, match="http://"):
        act("rss", "parse_feed", {"feed_url": address})
    assert not act.http.calls


def test_the_number_of_entries_can_be_limited(act) -> None:
    act.http = Canned(RSS.encode())
    assert len(act.output("rss", "parse_feed", feed_url="https://example.com/", limit=1)["items"]) == 1


def test_an_empty_answer_is_no_feed(act) -> None:
    with pytest.raises(BadAnswerError, match="is not a feed"):
        feed(act, "")


def test_an_element_of_countless_attributes_is_refused(act) -> None:
    item = "<item " + " ".join(f'a{number}="1"' for number in range(1001)) + "/>"
    with pytest.raises(BadAnswerError, match="more than 1000 attributes"):
        feed(act, f'<rss version="2.0"><channel>{item}</channel></rss>')
