"""What can be done in the window, with its keys: menus and tool bar."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMainWindow, QSizePolicy, QToolBar, QWidget

from demo_app.app.theme_action import theme_action
from demo_app.look.icons import icon
from qtorch import Command, bind, bind_command, combine

if TYPE_CHECKING:
    from collections.abc import Callable

    from demo_app.app.appearance import Appearance
    from demo_app.app.people import People
    from demo_app.app.picture import Picture
    from demo_app.app.profile import Profile
    from demo_app.look.theme import Mode

_MODES: tuple[tuple[Mode, str], ...] = (("system", "As the &system"), ("light", "&Light"), ("dark", "&Dark"))


class Actions:
    """The actions of a window, in its menus and tool bar."""

    def __init__(
        self,
        window: QMainWindow,
        *,
        people: People,
        picture: Picture,
        appearance: Appearance,
        profile: Profile,
        refresh: Callable[[], object],
        find: Callable[[], object],
    ) -> None:
        def action(text: str, keys: QKeySequence.StandardKey | str | None = None, image: str = "") -> QAction:
            made = QAction(text, window)
            if keys is not None:
                made.setShortcut(QKeySequence(keys))
            if image:
                made.setIcon(icon(image))
            return made

        standard = QKeySequence.StandardKey
        self.refresh = action("&Refresh", standard.Refresh, "refresh-cw")
        self.refresh.triggered.connect(refresh)
        # Qt binds no key to Quit where there is no desktop that says one.
        self.quit = action("&Quit", "Ctrl+Q")
        self.quit.triggered.connect(window.close)
        self.find = action("&Find", standard.Find)
        self.find.triggered.connect(find)
        self.save = action("&Save changes", standard.Save)
        bind_command(self.save, profile.form.submit)
        self.revert = action("&Revert changes")
        bind_command(self.revert, profile.revert)

        # Esc has two meanings, never both at a time: two enabled actions of one key would both be dead.
        self.cancel = action("&Cancel sending the picture", "Esc")
        sends = picture.select(lambda s: bool(s.file))
        bind_command(self.cancel, Command(picture.cancel, can=sends, parent=window))
        self.clear = action("C&lear the search", "Esc")
        searches = people.select(lambda s: bool(s.query))
        may_clear = combine(searches, sends, lambda searches, sends: searches and not sends)
        bind_command(self.clear, Command(people.clear_query, can=may_clear, parent=window))

        self.theme = theme_action(appearance, window)
        self.modes = QActionGroup(window)
        for mode, text in _MODES:
            self._add_mode(mode, action(text), appearance)

        self._fill_menus(window)
        self.tool_bar = self._make_tool_bar(window)

    def _add_mode(self, mode: Mode, action: QAction, appearance: Appearance) -> None:
        action.setCheckable(True)
        action.triggered.connect(lambda: appearance.choose(mode))
        bind(action, "checked", appearance.select(lambda s: s.mode == mode))
        self.modes.addAction(action)

    def _fill_menus(self, window: QMainWindow) -> None:
        file, edit, view = (window.menuBar().addMenu(title) for title in ("&File", "&Edit", "&View"))
        file.addActions([self.refresh, self.quit])
        file.insertSeparator(self.quit)
        edit.addActions([self.find, self.clear, self.save, self.revert, self.cancel])
        edit.insertSeparator(self.save)
        view.addActions(self.modes.actions())

    def _make_tool_bar(self, window: QMainWindow) -> QToolBar:
        bar = QToolBar("Tools", window)
        bar.setMovable(False)
        side = bar.fontMetrics().height()
        bar.setIconSize(QSize(side, side))
        bar.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        bar.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)  # Qt's would offer to hide it for good
        space = QWidget(bar)
        space.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        bar.addAction(self.refresh)
        bar.addWidget(space)
        bar.addAction(self.theme)
        window.addToolBar(bar)
        return bar
