"""Notes: Markdown laid out once and painted at any zoom.

A document is laid out in scene pixels and painted through a scaled painter, so its lines break at the same words at
every zoom and its letters are drawn at their size on the screen, never enlarged.
"""

from collections import OrderedDict

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import (
    QAbstractTextDocumentLayout,
    QColor,
    QFont,
    QPainter,
    QPalette,
    QPen,
    QTextCursor,
    QTextDocument,
)

from flowstudio.plan.model import Note
from flowstudio.ui.canvas.frame import Frame
from flowstudio.ui.canvas.geometry import Level
from flowstudio.ui.canvas.text import SMALLEST_PX
from flowstudio.ui.tokens import SANS, SIZE_SMALL, Palette, mix

INSET = 10.0
RADIUS = 4.0
LONGEST = 20_000  # characters of a note that are laid out
_KEPT = 64

_Key = tuple[str, float, float, str]


class NotePainter:
    """Keeps the documents of the notes it painted last."""

    def __init__(self, palette: Palette) -> None:
        self._palette = palette
        self._documents: OrderedDict[_Key, QTextDocument] = OrderedDict()

    def paint(self, p: QPainter, frame: Frame, note: Note) -> None:
        palette = self._palette
        rect = QRectF(frame.x(note.x), frame.y(note.y), frame.px(note.width), frame.px(note.height))
        p.setPen(QPen(QColor(mix(palette.pinned, palette.canvas, 0.6)), frame.ratio))
        p.setBrush(QColor(palette.pinned_bg))
        p.drawRoundedRect(rect, RADIUS * frame.s, RADIUS * frame.s)
        if frame.level >= Level.MIDDLE and note.text.strip():
            self._text(p, frame, note, rect)

    def _text(self, p: QPainter, frame: Frame, note: Note, rect: QRectF) -> None:
        width, height = note.width - 2 * INSET, note.height - 2 * INSET
        size = max(float(SIZE_SMALL), SMALLEST_PX / frame.zoom)  # a size no zoom brings under what can be read
        document = self._document(note.text[:LONGEST], width, size)
        p.save()
        p.translate(rect.left() + INSET * frame.s, rect.top() + INSET * frame.s)
        p.scale(frame.s, frame.s)
        room = QRectF(0, 0, width, whole_lines(document, height))
        p.setClipRect(room, Qt.ClipOperation.IntersectClip)
        context = QAbstractTextDocumentLayout.PaintContext()
        context.palette.setColor(QPalette.ColorRole.Text, QColor(self._palette.text))
        context.clip = room
        document.documentLayout().draw(p, context)
        p.restore()

    def _document(self, text: str, width: float, size: float) -> QTextDocument:
        key = (text, width, round(size, 2), self._palette.name)
        if key not in self._documents:
            self._documents[key] = laid_out(text, width, size, self._palette)
            if len(self._documents) > _KEPT:
                self._documents.popitem(last=False)
        self._documents.move_to_end(key)
        return self._documents[key]


def laid_out(markdown: str, width: float, size: float, palette: Palette) -> QTextDocument:
    """The note's text in scene pixels. Raw HTML in it stays text, so a note cannot fetch a picture from anywhere."""
    document = QTextDocument()
    font = QFont(list(SANS))
    font.setPixelSize(max(1, round(size)))
    font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    document.setDefaultFont(font)
    document.setUseDesignMetrics(True)
    document.setDocumentMargin(0)
    document.setDefaultStyleSheet(f"a {{ color: {palette.accent}; }}")
    # GitHub's dialect would strike out what stands between two home folders: ~/a and ~/b.
    dialect = QTextDocument.MarkdownFeature.MarkdownDialectCommonMark | QTextDocument.MarkdownFeature.MarkdownNoHTML
    document.setMarkdown(_with_line_breaks(markdown), dialect)
    document.setIndentWidth(size * 1.4)
    _part_paragraphs(document, size * 0.5)
    document.setTextWidth(width)
    return document


def _part_paragraphs(document: QTextDocument, gap: float) -> None:
    """Room after each paragraph and after the last line of a list; Qt's Markdown leaves none."""
    cursor = QTextCursor(document)
    block = document.begin()
    while block.isValid() and block.next().isValid():
        if block.textList() is None or block.next().textList() is not block.textList():
            cursor.setPosition(block.position())
            form = block.blockFormat()
            form.setBottomMargin(gap)
            cursor.setBlockFormat(form)
        block = block.next()


def whole_lines(document: QTextDocument, height: float) -> float:
    """How much of the height ends with a whole line: none is cut through the middle."""
    end = 0.0
    layout = document.documentLayout()
    block = document.begin()
    while block.isValid():
        top = layout.blockBoundingRect(block).top()
        lines = block.layout()
        for index in range(lines.lineCount()):
            bottom = top + lines.lineAt(index).y() + lines.lineAt(index).height()
            if bottom > height:
                return end or height
            end = bottom
        block = block.next()
    return height


def _with_line_breaks(text: str) -> str:
    """A line that ends stays ended: people write notes line by line, Markdown would run them together."""
    lines = text.split("\n")
    pairs = zip(lines, [*lines[1:], ""], strict=True)
    return "\n".join(f"{line}  " if line.strip() and following.strip() else line for line, following in pairs)
