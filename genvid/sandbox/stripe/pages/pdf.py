"""Writes a PDF of one page: lines of text in Helvetica, nothing else."""

WIDTH, HEIGHT = 595, 842


def pdf(lines: list[tuple[int, int, int, str]]) -> bytes:
    """Lines are x, y from the top, font size and text; a negative x is the distance from the right edge."""
    content = b"\n".join(_line(*line) for line in lines)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d] /Contents 5 0 R "
        b"/Resources << /Font << /F1 4 0 R >> >> >>" % (WIDTH, HEIGHT),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
    ]
    return _file(objects)


def _line(x: int, y: int, size: int, words: str) -> bytes:
    # Helvetica's digits and most letters are close to half as wide as high, which is enough to align amounts.
    left = x if x >= 0 else WIDTH + x - round(len(words) * size * 0.52)
    escaped = words.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)").encode("cp1252", "replace")
    return b"BT /F1 %d Tf %d %d Td (%s) Tj ET" % (size, left, HEIGHT - y, escaped)


def _file(objects: list[bytes]) -> bytes:
    out, offsets = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in offsets)
    size, start = len(objects) + 1, len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n%s" % (size, table)
    return out + b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, start)
