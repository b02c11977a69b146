"""The Kubernetes recipes are valid, private, and say the same where they say it twice."""

from __future__ import annotations

from typing import Any

import jsonschema
import kubernetes_validate
import pytest

import anonflow
from tests.cluster.files import CLUSTER, IMAGE, document, documents, pinned, values
from tests.cluster.kuberay import schema

CORE = ["kuberay/namespace.yaml", "kuberay/cronjob.yaml"]
RAY = {"kuberay/rayjob.yaml": "RayJob", "kuberay/raycronjob.yaml": "RayCronJob"}
ALL = [*CORE, *RAY]
PROBLEM = jsonschema.ValidationError


def job_spec(name: str) -> dict[str, Any]:
    spec: dict[str, Any] = document(name)["spec"]
    return spec["jobTemplate"] if RAY.get(name) == "RayCronJob" else spec


def pods(name: str) -> list[dict[str, Any]]:
    """The pod templates of a recipe."""
    if name not in RAY:
        return [template for one in documents(name) for template in values(one, "template")]
    spec = job_spec(name)
    groups = [spec["rayClusterSpec"]["headGroupSpec"], *spec["rayClusterSpec"]["workerGroupSpecs"]]
    return [spec["submitterPodTemplate"], *(group["template"] for group in groups)]


def as_pod(template: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "pod"}, "spec": template["spec"]}


def valid(one: dict[str, Any]) -> None:
    kubernetes_validate.validate(one, kubernetes_validate.latest_version(), strict=True)


@pytest.mark.parametrize("name", CORE)
def test_core_objects_are_those_of_the_api(name: str) -> None:
    for one in documents(name):
        valid(one)


@pytest.mark.parametrize("name", RAY)
def test_ray_objects_are_those_of_the_operator(name: str) -> None:
    jsonschema.validate(document(name), schema(RAY[name]))
    for template in pods(name):
        valid(as_pod(template))


def test_a_slip_would_be_found() -> None:
    job = document("kuberay/rayjob.yaml")
    job["spec"]["rayClusterSpec"]["workerGroupSpec"] = []
    with pytest.raises(PROBLEM):
        jsonschema.validate(job, schema("RayJob"))
    pod = as_pod(pods("kuberay/rayjob.yaml")[0])
    pod["spec"]["containers"][0]["resource"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        valid(pod)


def test_the_nightly_job_is_the_job() -> None:
    nightly = job_spec("kuberay/raycronjob.yaml") | {"backoffLimit": 0}
    assert nightly == job_spec("kuberay/rayjob.yaml") | {"backoffLimit": 0}


@pytest.mark.parametrize("name", [name for name in ALL if pods(name)])
def test_pods_are_what_the_restricted_standard_allows_and_less(name: str) -> None:
    for template in pods(name):
        spec = template["spec"]
        security = spec["securityContext"]
        assert security["runAsNonRoot"] is True and security["runAsUser"] == security["runAsGroup"] == 1000
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys()
        assert not any("hostPath" in volume for volume in spec["volumes"])
        mounted = {volume["name"] for volume in spec["volumes"]}
        for container in spec["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            # Nothing else of the root can be written: Ray needs the one, its token the other.
            assert {"/tmp", "/home/anonflow"} <= {mount["mountPath"] for mount in container["volumeMounts"]}
            assert {mount["name"] for mount in container["volumeMounts"]} <= mounted
            assert container["resources"]["requests"].keys() == container["resources"]["limits"].keys()
            assert IMAGE.match(container["image"]), f"{container['image']} is not pinned"
            assert f":{anonflow.__version__}-" in container["image"]


@pytest.mark.parametrize("name", RAY)
def test_ray_asks_for_its_token_and_no_secret_is_in_the_file(name: str) -> None:
    spec = job_spec(name)["rayClusterSpec"]
    assert spec["authOptions"] == {"mode": "token"}
    assert spec["rayVersion"] == pinned()["ray"]
    environment = [entry for entries in values(document(name), "env") for entry in entries]
    assert not [entry for entry in environment if "TOKEN" in entry["name"] or "SECRET" in entry["name"]]


@pytest.mark.parametrize("name", ALL)
def test_the_dashboard_is_not_exposed(name: str) -> None:
    for one in documents(name):
        assert one["kind"] not in ("Service", "Ingress", "HTTPRoute")
        assert set(values(one, "serviceType")) <= {"ClusterIP"}
        assert not any(values(one, "enableIngress"))
        assert not list(values(one, "hostPort"))


def test_the_network_policy_covers_every_pod_and_opens_the_dashboard_to_the_operator_alone() -> None:
    policy = next(one for one in documents("kuberay/namespace.yaml") if one["kind"] == "NetworkPolicy")
    chosen = policy["spec"]["podSelector"]["matchLabels"]
    for name in ALL:
        for template in pods(name):
            assert chosen.items() <= template["metadata"]["labels"].items()
    others = [rule for rule in policy["spec"]["ingress"] if "podSelector" not in rule["from"][0]]
    ports = {
        rule["from"][0]["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]: rule["ports"]
        for rule in others
    }
    assert {name: [port["port"] for port in given] for name, given in ports.items()} == {
        "kuberay-operator": [8265],
        "monitoring": [8080],
    }
    assert all(rule["from"] for rule in policy["spec"]["ingress"]), "an empty `from` lets everybody in"


def test_gpu_and_cpu_workers_scale_by_themselves() -> None:
    spec = job_spec("kuberay/rayjob.yaml")["rayClusterSpec"]
    assert spec["enableInTreeAutoscaling"] is True
    groups = {group["groupName"]: group for group in spec["workerGroupSpecs"]}
    assert groups.keys() == {"gpu", "cpu"}
    for name, group in groups.items():
        assert 1 <= group["minReplicas"] <= group["replicas"] <= group["maxReplicas"]
        (container,) = group["template"]["spec"]["containers"]
        assert ("nvidia.com/gpu" in container["resources"]["limits"]) == (name == "gpu")
        assert group["template"]["spec"]["tolerations"]
    assert spec["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"


def test_runs_do_not_overlap_on_a_schedule() -> None:
    spec = document("kuberay/cronjob.yaml")["spec"]
    assert spec["concurrencyPolicy"] == "Forbid"
    codes = spec["jobTemplate"]["spec"]["podFailurePolicy"]["rules"][0]["onExitCodes"]
    assert codes["values"] == [2, 3] and codes["containerName"] == "anonflow"


def test_all_files_of_the_folder_are_checked() -> None:
    assert {path.name for path in (CLUSTER / "kuberay").glob("*.yaml")} == {name.split("/")[1] for name in ALL}
