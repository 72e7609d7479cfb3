"""Read the XML in which S3 answers: names and texts, nothing declared, nothing fetched.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from polyclinic.base.blob.storage import StorageFailed


@dataclass(slots=True)
class Element:
    """An element: its name without a namespace, its text, its children."""

    name: str
    text: str = ""
    children: list["Element"] = field(default_factory=list)

    def all(self, name: str) -> Iterator["Element"]:
        """Yield the children of a name."""
        return (child for child in self.children if child.name == name)

    def value(self, name: str) -> str:
        """Return the text of the first child of a name, empty without one."""
        return next((child.text for child in self.all(name)), "")


def parse(document: bytes) -> Element:
    """Return the root of a document. Raise ``StorageFailed`` for what is not plain XML."""
    top = Element("")
    open_elements = [top]
    parser = expat.ParserCreate(namespace_separator=" ")

    def start(name: str, _attributes: dict[str, str]) -> None:
        element = Element(name.rpartition(" ")[2])
        open_elements[-1].children.append(element)
        open_elements.append(element)

    def end(_name: str) -> None:
        open_elements.pop()

    def text(data: str) -> None:
        open_elements[-1].text += data

    def refuse(*_declared: object) -> None:
        message = "the S3 service declares a document type"
        raise StorageFailed(message)

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(document, True)  # noqa: FBT003 - the last piece; expat takes no keywords
    except expat.ExpatError:
        message = "the S3 service's answer is not XML"
        raise StorageFailed(message) from None
    return top.children[0]
