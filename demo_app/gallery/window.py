"""The window of the gallery: pages on the left, the open one on the right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QFont, QKeySequence
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QMainWindow,
    QSizePolicy,
    QStackedWidget,
    QToolBar,
    QVBoxLayout,
    QWidget,
)

from demo_app.app.theme_action import theme_action
from demo_app.gallery.code_view import CodeView
from demo_app.gallery.page_list import PageList
from demo_app.look.fonts import scaled
from qtorch import bind

if TYPE_CHECKING:
    from demo_app.app.appearance import Appearance
    from demo_app.gallery.page import Page
    from demo_app.gallery.shell import Shell
    from demo_app.look.theme import Theme


class GalleryWindow(QMainWindow):
    """Makes a page when it is opened first, and keeps it.

    Parameters
    ----------
    pages
        What there is to see.
    shell, appearance
        Which page is open, and in which theme.
    theme
        The colours of the code.
    """

    def __init__(self, pages: tuple[Page, ...], shell: Shell, appearance: Appearance, theme: Theme) -> None:
        super().__init__()
        self.setWindowTitle("Bindings")
        self._pages = {page.name: page for page in pages}
        self._made: dict[str, PageView] = {}
        self._theme = theme
        self.list = PageList(pages, self)
        self.list.chosen.connect(shell.open)
        self._stack = QStackedWidget(self)
        side = QWidget(self)
        side.setProperty("panel", "side")
        side.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        side.setFixedWidth(self.fontMetrics().averageCharWidth() * 28)
        inner = QVBoxLayout(side)
        inner.setContentsMargins(8, 12, 8, 12)
        inner.addWidget(self.list)
        central = QWidget(self)
        layout = QHBoxLayout(central)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(side)
        layout.addWidget(self._stack, 1)
        self.setCentralWidget(central)
        self._add_actions(shell, theme_action(appearance, self))
        self.resize(1120, 860)
        bind(self.show_page, shell.select(lambda s: s.name))
        self.list.setFocus()

    @property
    def page(self) -> PageView:
        """The page that is open."""
        view = self._stack.currentWidget()
        assert isinstance(view, PageView)
        return view

    def show_page(self, name: str) -> None:
        """Show a page."""
        view = self._made.get(name)
        if view is None:
            view = self._made[name] = PageView(self._pages[name], self._theme, self)
            self._stack.addWidget(view)
        self._stack.setCurrentWidget(view)
        self.list.show_chosen(name)

    def _add_actions(self, shell: Shell, theme: QAction) -> None:
        bar = QToolBar("Tools", self)
        bar.setMovable(False)
        side = bar.fontMetrics().height()
        bar.setIconSize(QSize(side, side))
        bar.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        bar.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        for text, keys, do in (
            ("Previous page", "Ctrl+PgUp", shell.previous),
            ("Next page", "Ctrl+PgDown", shell.next),
            ("Quit", "Ctrl+Q", self.close),
        ):
            action = QAction(text, self)
            action.setShortcut(QKeySequence(keys))
            action.setToolTip(f"{text} ({action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)})")
            action.triggered.connect(do)
            bar.addAction(action)
        space = QWidget(bar)
        space.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        bar.addWidget(space)
        bar.addAction(theme)
        self.addToolBar(bar)


class PageView(QWidget):
    """A page: what for, the live part, the code."""

    def __init__(self, page: Page, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        title = QLabel(page.title, self)
        title.setFont(scaled(self.font(), 1.7, QFont.Weight.DemiBold))
        purpose = QLabel(page.purpose, self)
        purpose.setProperty("tone", "muted")
        purpose.setWordWrap(True)
        card = QFrame(self)
        card.setProperty("panel", "card")
        self.live = page.build()
        QVBoxLayout(card).addWidget(self.live)
        self.code = CodeView(page.source, page.file, "def build", theme, self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 18, 24, 18)
        layout.setSpacing(10)
        layout.addWidget(title)
        layout.addWidget(purpose)
        layout.addWidget(card)
        layout.addWidget(self.code, 1)
