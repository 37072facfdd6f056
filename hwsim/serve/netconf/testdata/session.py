"""A NETCONF session by ncclient. It writes what it sees, and waits for a line where the
test lets time pass: session.py HOST PORT"""
import sys
from ncclient import manager
from ncclient.operations.rpc import RPCError

PLANT = "urn:faultline:plant"


def config(tilt):
    return (
        '<config xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"><plant xmlns="%s"><resource><id>ANT1</id>'
        "<config><tilt>%s</tilt></config></resource></plant></config>" % (PLANT, tilt)
    )


def say(*words):
    print(*words, flush=True)


def wait(word):
    say("ready", word)
    sys.stdin.readline()


def saved(m):
    return m.get_config(source="running").data_xml


with manager.connect(
    host=sys.argv[1], port=int(sys.argv[2]), username="admin", password="secret", hostkey_verify=False, look_for_keys=False, allow_agent=False, timeout=60
) as m:
    say("session", m.session_id, ":base:1.1" in m.server_capabilities, ":candidate" in m.server_capabilities, ":confirmed-commit" in m.server_capabilities)
    before = saved(m)
    say("filtered", "4" in m.get_config(source="running", filter=("subtree", '<plant xmlns="%s"><resource><id>ANT1</id></resource></plant>' % PLANT)).data_xml)

    with m.locked("candidate"):
        m.edit_config(target="candidate", config=config(9))
        m.validate(source="candidate")
        m.commit(confirmed=True, timeout="120")
    say("in force", saved(m) != before)
    wait("expire")
    say("rolled back to the same bytes", saved(m) == before)

    m.edit_config(target="candidate", config=config(8))
    m.commit(confirmed=True, timeout="120")
    m.commit()
    wait("keep")
    say("kept", "<tilt>8</tilt>" in saved(m))

    try:
        m.edit_config(target="running", config=config(99))
    except RPCError as e:
        say("refused", e.tag)

    m.create_subscription()
    wait("break")
    n = m.take_notification(timeout=30)
    say("notified", "alarm-notification" in n.notification_xml, "ots-loss-of-signal-los-p" in n.notification_xml)
    got = m.get(filter=("subtree", '<alarms xmlns="urn:ietf:params:xml:ns:yang:ietf-alarms"/>')).data_xml
    say("alarm list", "<number-of-alarms>" in got and "ots-loss-of-signal-los-p" in got)
say("end")
