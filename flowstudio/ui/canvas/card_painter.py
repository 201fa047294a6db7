"""Draws the cards in view: sprites for what many cards share, text for what is a card's own."""

import math
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPixmap

from flowstudio.ui.canvas.art import GLYPH, TEXT_X, TILE, TILE_X, CardArt, tone
from flowstudio.ui.canvas.atlas import SpriteAtlas
from flowstudio.ui.canvas.faces import Badge, Look
from flowstudio.ui.canvas.frame import Frame
from flowstudio.ui.canvas.geometry import CARD_H, CARD_W, Level
from flowstudio.ui.canvas.scene import (
    CATEGORIES,
    CATEGORY_SHIFT,
    DISABLED,
    ERROR_PORT,
    PORTS_SHIFT,
    UNKNOWN,
    CanvasScene,
)
from flowstudio.ui.canvas.tables import Rows
from flowstudio.ui.canvas.text import Label, font, width
from flowstudio.ui.icons import draw_mark
from flowstudio.ui.tokens import Palette, mix

_BASE_KEYS = 1 << 12
_MARK_KEYS = 1 << 12
_TURNS = 12
_KEPT_SCALES = 12
TEXT_LIMIT_MOVING = 220
"""While the view moves, more cards than this are drawn without words; they come 140 ms after."""

_MEDIUM = 600
_TILE_MIDDLE, _TILE_FAR = 36.0, 40.0
_GLYPH_MIDDLE, _GLYPH_FAR = 20.0, 34.0
STATE_Y = 57.0
"""Where the middle of the state's glyph lies on a card, in the line of its word."""


@dataclass(slots=True)
class _Sprites:
    """The atlases of one scale."""

    art: CardArt
    base: SpriteAtlas
    mark: SpriteAtlas
    glyph: SpriteAtlas
    card_w: int
    card_h: int
    tile: int
    glyph_size: int


@dataclass(frozen=True, slots=True)
class _Line:
    """A card about to get its words: its row and where its lines begin, in device pixels."""

    row: int
    x: int
    y: int
    width: int
    is_full: bool
    badges: tuple[Badge, ...]


@dataclass(slots=True)
class _Labels:
    title: Label
    subtitle: Label
    face: object


class CardPainter:
    """Draws cards of a scene in one palette."""

    def __init__(self, scene: CanvasScene, palette: Palette) -> None:
        self._scene = scene
        self.palette = palette
        self._sprites: OrderedDict[tuple[int, int], _Sprites] = OrderedDict()
        self._labels: dict[int, _Labels] = {}
        self._badges: dict[tuple[str, str, int], QPixmap] = {}

    def paint(self, p: QPainter, frame: Frame, rows: Rows) -> None:
        """Cards of the usual size by sprite, taller ones (a switch with many cases) in place; then their words."""
        if not len(rows):
            return
        cards = self._scene.cards
        sprites = self.sprites(frame)
        usual = (cards.h[rows] == CARD_H) & (cards.w[rows] == CARD_W)
        self._copy_bases(p, frame, rows[usual], sprites)
        for row in rows[~usual].tolist():
            self._draw_base(p, frame, row, sprites.art, cards.h[row])
        if frame.level is not Level.DOT:
            self._copy_marks(p, frame, rows, sprites)
            self._copy_glyphs(p, frame, rows, sprites)
        self.paint_words(p, frame, rows)

    def paint_header(self, p: QPainter, frame: Frame, row: int) -> None:
        """A loop's header: a card as wide as the loop."""
        sprites = self.sprites(frame)
        self._draw_base(p, frame, row, sprites.art, CARD_H)
        if frame.level is not Level.DOT:
            rows = np.array([row])
            self._copy_marks(p, frame, rows, sprites)
            self._copy_glyphs(p, frame, rows, sprites)

    def paint_words(self, p: QPainter, frame: Frame, rows: Rows) -> None:
        if frame.level < Level.MIDDLE or (frame.is_moving and len(rows) > TEXT_LIMIT_MOVING):
            return
        if frame.level is Level.MIDDLE:
            self._titles(p, frame, rows)
        else:
            self._near_words(p, frame, rows)

    def sprites(self, frame: Frame) -> _Sprites:
        key = (round(frame.s * 10_000), frame.level)
        if key in self._sprites:
            self._sprites.move_to_end(key)
        else:
            self._sprites[key] = self._new_sprites(frame)
            if len(self._sprites) > _KEPT_SCALES:
                self._sprites.popitem(last=False)
        return self._sprites[key]

    # sprites

    def _new_sprites(self, frame: Frame) -> _Sprites:
        art = CardArt(self.palette, frame.s, frame.ratio, frame.level)
        card_w, card_h = frame.px(CARD_W), frame.px(CARD_H)
        tile = frame.px({Level.NEAR: TILE, Level.MIDDLE: _TILE_MIDDLE}.get(frame.level, _TILE_FAR))
        glyph = frame.px({Level.NEAR: GLYPH, Level.MIDDLE: _GLYPH_MIDDLE}.get(frame.level, _GLYPH_FAR))

        def base(p: QPainter, key: int) -> None:
            p.translate(art.margin, art.margin)
            traits = key >> 4
            self._base(p, art, card_w, card_h, Look(key & 7), bool(key & 8), traits)
            art.ports(p, card_w, card_h, traits >> PORTS_SHIFT & 3, bool(traits & ERROR_PORT))

        def mark(p: QPainter, key: int) -> None:
            icon, initials_of, category, disabled = self._scene.marks[key]
            art.mark(p, tile, icon, initials_of, category, disabled)

        def state(p: QPainter, key: int) -> None:
            art.glyph(p, glyph, Look(key // _TURNS), key % _TURNS / _TURNS)

        margin = 2 * art.margin
        return _Sprites(
            art,
            SpriteAtlas(card_w + margin, card_h + margin, _BASE_KEYS, base),
            SpriteAtlas(tile, tile, _MARK_KEYS, mark),
            SpriteAtlas(glyph, glyph, len(Look) * _TURNS, state),
            card_w,
            card_h,
            tile,
            glyph,
        )

    def _base(self, p: QPainter, art: CardArt, w: float, h: float, look: Look, selected: bool, traits: int) -> None:
        art.base(
            p,
            w,
            h,
            look=look,
            category=CATEGORIES[traits >> CATEGORY_SHIFT & 7],
            selected=selected,
            disabled=bool(traits & DISABLED),
            unknown=bool(traits & UNKNOWN),
        )

    def _copy_bases(self, p: QPainter, frame: Frame, rows: Rows, sprites: _Sprites) -> None:
        cards, margin = self._scene.cards, sprites.art.margin
        keys = cards.look[rows] | cards.selected[rows].astype(np.int64) << 3 | cards.traits[rows] << 4
        if frame.level is Level.DOT:  # ports and the like cannot be told: fewer sprites to make at each zoom
            keys &= 0b1111 | 7 << CATEGORY_SHIFT + 4
        sprites.base.copy(p, keys, frame.xs(cards.x[rows]) - margin, frame.ys(cards.y[rows]) - margin)

    def _draw_base(self, p: QPainter, frame: Frame, row: int, art: CardArt, height: float) -> None:
        cards = self._scene.cards
        p.save()
        p.setRenderHint(QPainter.RenderHint.Antialiasing)
        p.translate(frame.x(cards.x[row]), frame.y(cards.y[row]))
        w, h = frame.px(cards.w[row]), frame.px(height)
        self._base(p, art, w, h, Look(int(cards.look[row])), bool(cards.selected[row]), int(cards.traits[row]))
        art.port(p, 0, cards.input_dy[row] * frame.s)
        box = cards.box(row)
        for anchor in cards.anchors[row]:
            x, y = anchor.at(box)
            is_error = anchor.port.name == "error"
            art.port(p, (x - box.x) * frame.s, (y - box.y) * frame.s, colour=self.palette.error if is_error else "")
        p.restore()

    def _copy_marks(self, p: QPainter, frame: Frame, rows: Rows, sprites: _Sprites) -> None:
        cards = self._scene.cards
        left = frame.px(TILE_X if frame.level >= Level.MIDDLE else 24.0)
        lift = np.round(cards.input_dy[rows] * frame.s - sprites.tile / 2)
        sprites.mark.copy(p, cards.mark[rows], frame.xs(cards.x[rows]) + left, frame.ys(cards.y[rows]) + lift)

    def _copy_glyphs(self, p: QPainter, frame: Frame, rows: Rows, sprites: _Sprites) -> None:
        cards = self._scene.cards
        rows = rows[cards.look[rows] != Look.IDLE]
        if not len(rows):
            return
        turn = 0 if frame.is_still else int(frame.time_s * _TURNS) % _TURNS
        looks = cards.look[rows]
        keys = looks * _TURNS + np.where(looks == Look.RUNNING, turn, 0)
        size = sprites.glyph_size
        if frame.level is Level.NEAR:  # beside its word, so that the title has the whole line
            left = frame.xs(cards.x[rows]) + frame.px(TEXT_X)
        else:
            inset = frame.px(12.0 if frame.level is Level.MIDDLE else 20.0)
            left = frame.xs(cards.x[rows]) + np.round(cards.w[rows] * frame.s) - size - inset
        middle = STATE_Y if frame.level is Level.NEAR else CARD_H / 2
        lift = round(middle * frame.s - size / 2)
        sprites.glyph.copy(p, keys, left, frame.ys(cards.y[rows]) + lift + self._drops(frame, rows))

    def _drops(self, frame: Frame, rows: Rows) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
        """How far the lines of a taller card are moved down to stay around its middle."""
        return np.round((self._scene.cards.input_dy[rows] - CARD_H / 2) * frame.s)

    # words

    def _label(self, row: int) -> _Labels:
        face = self._scene.cards.faces[row]
        known = self._labels.get(row)
        if known is None or known.face is not face:
            assert face is not None
            known = _Labels(Label(face.title, _MEDIUM), Label(face.subtitle, middle=True), face)
            self._labels[row] = known
        return known

    def _titles(self, p: QPainter, frame: Frame, rows: Rows) -> None:
        """Middle zoom: one line beside the icon."""
        cards, size = self._scene.cards, frame.text_px(15)
        p.setFont(font(size, _MEDIUM))
        p.setPen(QColor(self.palette.text))
        left, base = frame.px(TEXT_X + 4), size * 0.36
        xs, ys = (
            frame.xs(cards.x[rows]) + left,
            np.round(frame.ys(cards.y[rows]) + cards.input_dy[rows] * frame.s + base),
        )
        room = (cards.w[rows] - np.where(cards.look[rows] != Look.IDLE, 12 + _GLYPH_MIDDLE + 6, 10)) * frame.s - left
        for row, x, y, w in zip(rows.tolist(), xs.tolist(), ys.tolist(), room.tolist(), strict=True):
            text = self._label(row).title.fitted(w, size)
            if text:
                p.drawText(QPointF(x, y), text)

    def _near_words(self, p: QPainter, frame: Frame, rows: Rows) -> None:
        """Near: title, provider and action; below, where there is any, state, badges and figures."""
        lines = self._lines(frame, rows)
        cards, s = self._scene.cards, frame.s
        left, pale, plain = frame.px(TEXT_X), QColor(self.palette.text_3), QColor(self.palette.text)
        size = frame.text_px(14)
        p.setFont(font(size, _MEDIUM))
        for line in lines:
            p.setPen(pale if cards.traits[line.row] & DISABLED else plain)
            text = self._label(line.row).title.fitted(line.width - left - 12 * s, size)
            p.drawText(QPointF(line.x + left, line.y + round((26 if line.is_full else 33) * s)), text)
        size = frame.text_px(12)
        p.setFont(font(size))
        p.setPen(QColor(mix(self.palette.text_2, self.palette.surface, 0.12)))
        for line in lines:
            text = self._label(line.row).subtitle.fitted(line.width - left - 12 * s, size)
            p.drawText(QPointF(line.x + left, line.y + round((44 if line.is_full else 51) * s)), text)
        for line in lines:
            if line.is_full:
                self._last_line(p, frame, line)

    def _lines(self, frame: Frame, rows: Rows) -> list[_Line]:
        cards = self._scene.cards
        drops = self._drops(frame, rows).tolist()
        lines = []
        for row, drop in zip(rows.tolist(), drops, strict=True):
            face = cards.faces[row]
            assert face is not None
            is_full = bool(cards.look[row]) or bool(face.badges)
            x, y = frame.x(cards.x[row]), frame.y(cards.y[row]) + int(drop)
            lines.append(_Line(row, x, y, round(cards.w[row] * frame.s), is_full, face.badges))
        return lines

    def _last_line(self, p: QPainter, frame: Frame, line: _Line) -> None:
        cards, s, size = self._scene.cards, frame.s, frame.text_px(11)
        base, x, right = line.y + round(61 * s), line.x + frame.px(TEXT_X), line.x + line.width - round(12 * s)
        word, figures = cards.words[line.row], cards.figures[line.row]
        if figures:
            p.setFont(font(size))
            p.setPen(QColor(self.palette.text_3))
            right -= round(width(figures, size))
            p.drawText(QPointF(right, base), figures)
            right -= round(6 * s)
        if word:
            p.setFont(font(size, _MEDIUM))
            p.setPen(QColor(tone(self.palette, Look(int(cards.look[line.row])))))
            x += round((GLYPH + 5) * s)
            p.drawText(QPointF(x, base), word)
            x += round(width(word, size, _MEDIUM) + 8 * s)
        p.setFont(font(size))
        for badge in line.badges:
            needed = self._badge_width(badge, size, s)
            if x + needed > right:
                break
            self._draw_badge(p, frame, badge, x, base, size)
            x += needed + round(6 * s)

    def _badge_width(self, badge: Badge, size: int, s: float) -> int:
        icon = round(size * 1.2) + round(2 * s) if badge.icon else 0
        return icon + (round(width(badge.text, size)) if badge.text else 0)

    def _draw_badge(self, p: QPainter, frame: Frame, badge: Badge, x: int, base: int, size: int) -> None:
        colour = str(getattr(self.palette, badge.token))
        icon_px = round(size * 1.2)
        if badge.icon:
            p.drawPixmap(x, base - round(size * 0.96), self._badge_picture(badge.icon, colour, icon_px))
            x += icon_px + round(2 * frame.s)
        if badge.text:
            p.setPen(QColor(colour))
            p.drawText(QPointF(x, base), badge.text)

    def _badge_picture(self, icon: str, colour: str, size: int) -> QPixmap:
        key = (icon, colour, size)
        if key not in self._badges:
            if len(self._badges) > 256:
                self._badges.clear()
            picture = QPixmap(size, size)
            picture.fill(Qt.GlobalColor.transparent)
            painter = QPainter(picture)
            draw_mark(painter, QRectF(0, 0, size, size), icon, icon, QColor(colour))
            painter.end()
            self._badges[key] = picture
        return self._badges[key]

    def paint_pulse(self, p: QPainter, frame: Frame, rows: Rows) -> None:
        """The border of running cards swells once a second; without motion it only stands out."""
        cards = self._scene.cards
        rows = rows[cards.look[rows] == Look.RUNNING]
        if not len(rows) or len(rows) > 60 or frame.level < Level.FAR:
            return
        swell = 0.5 if frame.is_still else 0.5 - 0.5 * math.cos(frame.time_s * 2 * math.pi)
        colour = QColor(self.palette.running)
        colour.setAlphaF(0.12 + 0.3 * swell)
        reach = (2 + 1.5 * swell) * max(frame.s, frame.ratio * 0.6)
        p.setRenderHint(QPainter.RenderHint.Antialiasing)
        p.setBrush(Qt.BrushStyle.NoBrush)
        p.setPen(QPen(colour, reach))
        for row in rows.tolist():
            height = CARD_H if cards.is_loop[row] else cards.h[row]
            rect = QRectF(frame.x(cards.x[row]), frame.y(cards.y[row]), frame.px(cards.w[row]), frame.px(height))
            out = reach / 2
            radius = 8 * frame.s + out
            p.drawRoundedRect(rect.adjusted(-out, -out, out, out), radius, radius)
        p.setRenderHint(QPainter.RenderHint.Antialiasing, False)
