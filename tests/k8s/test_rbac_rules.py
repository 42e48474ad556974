"""What the controller asks to be allowed."""

from wf_k8s import rbac

EVERY = (
    *rbac.WORKFLOWS,
    *rbac.SCHEDULES,
    *rbac.TASKS,
    *rbac.CLEAN_UP,
    *rbac.PODS,
    *rbac.POD_LOGS,
    *rbac.lease("wf-controller"),
)


def test_20_nothing_is_granted_by_a_wildcard() -> None:
    for rule in EVERY:
        assert "*" not in (rule.group, *rule.resources, *rule.verbs)


def test_20_no_secret_can_be_read() -> None:
    assert not [rule for rule in EVERY if "secrets" in rule.resources]


def test_20_deleting_workflows_is_for_clean_up_alone() -> None:
    assert all("delete" not in rule.verbs for rule in rbac.WORKFLOWS)
    (clean_up,) = rbac.CLEAN_UP
    assert (clean_up.resources, clean_up.verbs) == (("workflows",), ("delete",))


def test_20_schedules_are_not_written_but_for_their_state() -> None:
    writes = {
        verb for rule in rbac.SCHEDULES if "cronworkflows" in rule.resources for verb in rule.verbs
    }
    assert writes == {"list", "watch"}


def test_20_tasks_are_removed_by_age_and_written_in_no_other_way_but_for_their_state() -> None:
    writes = {verb for rule in rbac.TASKS if "tasks" in rule.resources for verb in rule.verbs}
    assert writes == {"list", "watch", "delete"}


def test_20_the_state_is_written_through_the_subresource() -> None:
    (status,) = [rule for rule in EVERY if "workflows/status" in rule.resources]
    assert status.verbs == ("patch",)


def test_20_only_the_one_lease_is_read_and_renewed() -> None:
    create, renew = rbac.lease("wf-controller")
    assert (create.verbs, create.names) == (("create",), ())
    assert renew.document() == {
        "apiGroups": ["coordination.k8s.io"],
        "resources": ["leases"],
        "verbs": ["get", "update"],
        "resourceNames": ["wf-controller"],
    }
