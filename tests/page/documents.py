"""Files as visitors have them: PDFs, Word documents, written here byte by byte."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Sequence
from xml.sax.saxutils import escape

LOCKED = b"<< /Filter /Standard /V 1 /R 2 /P -4 /O <%s> /U <%s> >>" % (b"00" * 32, b"11" * 32)


def pdf(pages: Sequence[str], locked: bool = False) -> bytes:
    """A PDF with these texts, in lines of at most 90 letters; a line that begins with "# " is a heading."""
    kids = " ".join(f"{4 + 2 * i} 0 R" for i in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for i, text in enumerate(pages):
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F 3 0 R >> >> "
            f"/Contents {5 + 2 * i} 0 R >>".encode()
        )
        data = zlib.compress(_content(text))
        objects.append(b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(data), data))
    if locked:
        objects.append(LOCKED)
    return _file(objects, locked)


def pdf_of_letters(table: str, ordering: str, text: str, encoding: str) -> bytes:
    """One that names its letters by a table that it does not bring along, in a font that is not in it either."""
    about = f"/CIDSystemInfo << /Registry (Adobe) /Ordering ({ordering}) /Supplement 2 >> /FontDescriptor 7 0 R"
    page = b"/MediaBox [0 0 612 792] /Resources << /Font << /F 3 0 R >> >> /Contents 5 0 R"
    content = f"BT /F 12 Tf 60 740 Td <{text.encode(encoding).hex()}> Tj ET".encode()
    return _file([
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [4 0 R] /Count 1 >>",
        f"<< /Type /Font /Subtype /Type0 /BaseFont /Song /Encoding /{table} /DescendantFonts [6 0 R] >>".encode(),
        b"<< /Type /Page /Parent 2 0 R %s >>" % page,
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        f"<< /Type /Font /Subtype /CIDFontType0 /BaseFont /Song {about} >>".encode(),
        b"<< /Type /FontDescriptor /FontName /Song /Flags 6 /FontBBox [0 -200 1000 900] /ItalicAngle 0 /Ascent 880"
        b" /Descent -120 /StemV 93 >>",
    ])  # fmt: skip


def _file(objects: Sequence[bytes], locked: bool = False) -> bytes:
    out = io.BytesIO(b"%PDF-1.4\n")
    out.seek(0, io.SEEK_END)
    places = []
    for number, body in enumerate(objects, 1):
        places.append(out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    start = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    out.write(b"".join(b"%010d 00000 n \n" % place for place in places))
    encrypted = b" /Encrypt %d 0 R /ID [<00><00>]" % len(objects) if locked else b""
    out.write(b"trailer\n<< /Size %d /Root 1 0 R%s >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, encrypted, start))
    return out.getvalue()


def _content(text: str) -> bytes:
    lines = ["BT /F 11 Tf 14 TL 60 740 Td"]
    for paragraph in text.split("\n"):
        size, words = (18, paragraph[2:].split()) if paragraph.startswith("# ") else (11, paragraph.split())
        lines.append(f"/F {size} Tf")
        while words:
            line = [words.pop(0)]
            while words and len(" ".join(line)) + len(words[0]) < 90:
                line.append(words.pop(0))
            shown = " ".join(line).replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
            lines.append(f"({shown}) Tj T*")
        lines.append("T*")
    return "\n".join([*lines, "ET"]).encode("cp1252", "replace")


def docx(paragraphs: Sequence[tuple[str, str]], rows: Sequence[Sequence[str]] = (), boxed: str = "") -> bytes:
    """A Word document: paragraphs with styles ("" or "Heading1"), a table, and a text box (twice, as Word does)."""

    def written(text: str, style: str = "") -> str:
        kind = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
        return f'<w:p>{kind}<w:r><w:t xml:space="preserve">{escape(text)}</w:t></w:r></w:p>'

    table = "".join(f"<w:tr>{''.join(f'<w:tc>{written(cell)}</w:tc>' for cell in row)}</w:tr>" for row in rows)
    body = "".join(written(text, style) for text, style in paragraphs) + (f"<w:tbl>{table}</w:tbl>" if rows else "")
    if boxed:
        ways = [f'<mc:{kind} x="a/b">{written(boxed)}</mc:{kind}><mc:{kind}/>' for kind in ("Choice", "Fallback")]
        body += f"<mc:AlternateContent>{''.join(ways)}</mc:AlternateContent>"
    space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    xml = f'<?xml version="1.0"?><w:document xmlns:w="{space}"><w:body>{body}</w:body></w:document>'
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", xml)
    return out.getvalue()
