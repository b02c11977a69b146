"""What KubeRay 1.7 takes in the objects that the recipes use: the fields of its API reference (ray.io/v1).

Only fields that recipes may sensibly use stand here; an unknown or misspelt one is an error, which a cluster would
drop without a word. Pod templates are checked against Kubernetes' own schemas instead.
"""

from __future__ import annotations

from typing import Any

TEXT, FLAG = {"type": "string"}, {"type": "boolean"}
COUNT = {"type": "integer", "minimum": 0}
MAP = {"type": "object", "additionalProperties": TEXT}
ANY = {"type": "object"}


def _object(required: list[str], **fields: Any) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "required": required, "properties": fields}


AUTOSCALER = _object(
    [],
    version={"enum": ["v1", "v2"]},
    idleTimeoutSeconds=COUNT,
    upscalingMode={"enum": ["Default", "Aggressive", "Conservative"]},
    image=TEXT,
    imagePullPolicy={"enum": ["Always", "IfNotPresent", "Never"]},
    securityContext=ANY,
    resources=ANY,
    env={"type": "array", "items": ANY},
    envFrom={"type": "array", "items": ANY},
    volumeMounts={"type": "array", "items": ANY},
)
HEAD = _object(
    ["rayStartParams", "template"],
    serviceType={"enum": ["ClusterIP", "NodePort", "LoadBalancer"]},
    enableIngress=FLAG,
    rayStartParams=MAP,
    template=ANY,
)
WORKERS = _object(
    ["groupName", "template", "maxReplicas", "minReplicas"],
    groupName=TEXT,
    replicas=COUNT,
    minReplicas=COUNT,
    maxReplicas=COUNT,
    numOfHosts={"type": "integer", "minimum": 1},
    idleTimeoutSeconds=COUNT,
    rayStartParams=MAP,
    template=ANY,
)
CLUSTER_SPEC = _object(
    ["headGroupSpec"],
    rayVersion=TEXT,
    authOptions=_object([], mode={"enum": ["disabled", "token"]}, secretName=TEXT),
    enableInTreeAutoscaling=FLAG,
    autoscalerOptions=AUTOSCALER,
    headGroupSpec=HEAD,
    workerGroupSpecs={"type": "array", "items": WORKERS},
)
JOB_SPEC = _object(
    ["entrypoint", "rayClusterSpec"],
    entrypoint=TEXT,
    activeDeadlineSeconds={"type": "integer", "minimum": 1},
    preRunningDeadlineSeconds={"type": "integer", "minimum": 1},
    backoffLimit=COUNT,
    ttlSecondsAfterFinished=COUNT,
    shutdownAfterJobFinishes=FLAG,
    suspend=FLAG,
    submissionMode={"enum": ["K8sJobMode", "HTTPMode", "InteractiveMode", "SidecarMode"]},
    submitterPodTemplate=ANY,
    submitterConfig=_object([], backoffLimit=COUNT),
    runtimeEnvYAML=TEXT,
    metadata=MAP,
    entrypointNumCpus={"type": "number"},
    rayClusterSpec=CLUSTER_SPEC,
)
CRON_SPEC = _object(
    ["schedule", "jobTemplate"],
    schedule={"type": "string", "pattern": r"^\S+ \S+ \S+ \S+ \S+$"},
    timeZone={"type": "string", "minLength": 1},
    suspend=FLAG,
    jobTemplate=JOB_SPEC,
)


def schema(kind: str) -> dict[str, Any]:
    """The schema of an object of that kind."""
    spec = {"RayJob": JOB_SPEC, "RayCronJob": CRON_SPEC}[kind]
    return _object(
        ["apiVersion", "kind", "metadata", "spec"],
        apiVersion={"const": "ray.io/v1"},
        kind={"const": kind},
        metadata=ANY,
        spec=spec,
    )
