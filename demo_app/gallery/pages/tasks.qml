import QtQuick
import QtQuick.Controls.Fusion
import QtQuick.Layouts

Rectangle {
    id: page
    required property QtObject tasks

    SystemPalette { id: colors }
    color: colors.base

    component Push: Button {
        id: push
        flat: true
        padding: 6
        horizontalPadding: 14
        background: Rectangle {
            radius: 6
            color: push.down ? colors.mid : push.hovered ? colors.midlight : colors.button
            border.color: push.activeFocus ? colors.highlight : push.enabled ? colors.dark : colors.mid
        }
    }

    ColumnLayout {
        anchors.fill: parent
        spacing: 8

        Label { text: "QML"; color: colors.text }

        RowLayout {
            TextField {
                id: title
                objectName: "title"
                placeholderText: "Something to do"
                padding: 7
                background: Rectangle {
                    radius: 6
                    color: colors.base
                    border.color: title.activeFocus ? colors.highlight : colors.dark
                }
                Layout.fillWidth: true
                onAccepted: { page.tasks.add(text); clear() }
            }
            Push {
                objectName: "add"
                text: "Add"
                enabled: title.text.trim() !== ""
                onClicked: title.accepted()
            }
        }

        ListView {
            objectName: "list"
            Layout.fillWidth: true
            Layout.fillHeight: true
            clip: true
            model: page.tasks.rows
            move: Transition { NumberAnimation { properties: "y"; duration: 200 } }
            displaced: Transition { NumberAnimation { properties: "y"; duration: 200 } }
            delegate: RowLayout {
                required property int taskId
                required property string title
                width: ListView.view.width
                height: implicitHeight + 6
                Label { text: parent.title; color: colors.text; Layout.fillWidth: true }
                Push {
                    text: "Done"
                    enabled: page.tasks.finish.enabled
                    onClicked: page.tasks.finish.trigger(parent.taskId)
                }
            }
        }

        Label {
            objectName: "summary"
            text: page.tasks.summary
            color: colors.text
        }

        Label {
            visible: text !== ""
            text: page.tasks.finish.errorMessage
            color: colors.text
        }
    }
}
