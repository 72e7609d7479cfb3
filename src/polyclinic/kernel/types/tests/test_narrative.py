"""The XHTML of a narrative: https://hl7.org/fhir/R4/narrative.html#xhtml."""

import pytest

from polyclinic.kernel.types.narrative import MAX_NARRATIVE, is_narrative

XMLNS = 'xmlns="http://www.w3.org/1999/xhtml"'


def div(inner):
    return f"<div {XMLNS}>{inner}</div>"


@pytest.mark.parametrize(
    "value",
    [
        div("text"),
        div(""),
        f"<div {XMLNS}/>",
        f"  <div {XMLNS} >text</div >\n",
        div("a &lt; b &amp; &#233; &#xE9; &nbsp;"),
        div("a > b"),
        div("<p>one<br/>two</p><p>three</p>"),
        div('<a href="https://example.org/?a=1&amp;b=2" title="a > b">link</a>'),
        div("<img src='data:image/png;base64,AAAA' alt='x'/>"),
        div('<span style="color: red" class="a">x</span>'),
        div("<!-- a <comment> & more -->text"),
        div("<table><tbody><tr><td colspan='2'>1</td></tr></tbody></table>"),
        div("<a href='" + "x" * 200 + "'>long</a>"),
    ],
)
def test_the_formatting_of_a_text_is_taken(value):
    assert is_narrative(value)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "text",
        "<p>text</p>",
        "text" + div("a"),
        div("a") + "text",
        div("a") + div("b"),
        "<div>a",
        "<div>a</div",
        "<div>a</p>",
        "<divx>a</divx>",
        div("<p>a</div></p>"),
        div("<p>a"),
        div("</p>"),
        div("<b/a>"),
        div("a < b"),
        div("a & b"),
        div("a &lt b"),
        div("<script>alert(1)</script>"),
        div("<SCRIPT>alert(1)</SCRIPT>"),
        div("<iframe src='https://example.org'></iframe>"),
        div("<form><input/></form>"),
        div("<object/>"),
        div("<svg/>"),
        div("<style>a</style>"),
        div('<p onclick="x()">a</p>'),
        f'<div {XMLNS} onload="x()">a</div>',
        div('<a href="javascript:x()">a</a>'),
        div('<a href=" JAVASCRIPT:x()">a</a>'),
        div('<a href="&#106;avascript:x()">a</a>'),
        div('<a href="java&#x0A;script:x()">a</a>'),
        div('<a href="data:text/html,x">a</a>'),
        div('<p style="width: expression(x)">a</p>'),
        div('<p style="background: url(javascript:x)">a</p>'),
        div("<p title=a>a</p>"),
        div('<p title="a" title="b">a</p>'),
        div('<p title="<">a</p>'),
        div("<!-- a"),
        div("<![CDATA[a]]>"),
        div("<?php ?>"),
        "<!DOCTYPE div>" + div("a"),
        div("a" * MAX_NARRATIVE),
    ],
)
def test_what_is_malformed_or_runs_is_refused(value):
    assert not is_narrative(value)


def test_a_long_narrative_is_read_in_a_moment():
    assert is_narrative(div("<p>text &amp; more</p>" * 50_000))
