// What tests of KeyedListModel in QML look at.
import QtQuick

ListView {
    id: view
    required property var people
    property string current: currentItem ? currentItem.name : ""
    property var seen: []

    width: 200
    height: 400
    model: people
    delegate: Text {
        required property string name
        required property var tags
        required property var views
        height: 10
        text: `${name} ${tags.length} ${views}`
    }

    function texts() {
        return Array.from({ length: count }, (_, row) => itemAtIndex(row)?.text)
    }

    function tops() {
        return Array.from({ length: count }, (_, row) => itemAtIndex(row).y)
    }

    Connections {
        target: view.people
        function onRowsInserted() { view.seen.push("inserted") }
        function onRowsRemoved() { view.seen.push("removed") }
        function onRowsMoved() { view.seen.push("moved") }
        function onLayoutChanged() { view.seen.push("layout") }
        function onModelReset() { view.seen.push("reset") }
    }
}
