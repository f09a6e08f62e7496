"""Repositories for the benchmarks: the same bytes in every run (one seed), of realistic size.

A monorepo has services of four Terraform files each (main, variables, outputs, versions), which call shared modules,
and other files beside them as such repositories hold: Kubernetes manifests, pipelines, JSON, documentation, scripts and
tfvars. A Terraform file has 1.5 kB on average, as in ministryofjustice/cloud-platform-environments (12,469 files, mean
1,525 bytes) and ministryofjustice/modernisation-platform (1,189 files, mean 1,599 bytes).
"""

from __future__ import annotations

import random
from pathlib import Path

SEED = 20260601

KEY = """
resource "aws_iam_user" "svc_{n}" {{
  name = "svc-{n}"
}}

resource "aws_iam_access_key" "key_{n}" {{
  user = aws_iam_user.svc_{n}.name
}}
"""
_BUCKET = """
resource "aws_s3_bucket" "bucket_{n}_{m}" {{
  bucket = "logs-{n}-{m}-${{var.environment}}"

  tags = {{
    owner = "team-{owner}"
    cost  = "{cost}"
  }}
}}
"""
_QUEUE = """
resource "aws_sqs_queue" "queue_{n}_{m}" {{
  name                      = "events-{n}-{m}-${{var.environment}}"
  message_retention_seconds = {cost}
  redrive_policy            = jsonencode({{ maxReceiveCount = {owner} }})
}}
"""
_VARIABLES = """variable "environment" {
  type        = string
  description = "The environment that this service runs in"
  default     = "prod"
}

variable "tags" {
  type    = map(string)
  default = {}
}
"""
_VARIABLE = """
variable "{name}" {{
  type        = {kind}
  description = "The {name} of service {n}, as the team that runs it agreed with the platform team"
  default     = {value}
}}
"""
_VERSIONS = """terraform {
  required_version = ">= 1.5"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.0"
    }
  }
}
"""
_OUTPUTS = """output "bucket_{n}" {{
  description = "The bucket of service {n}"
  value       = aws_s3_bucket.bucket_{n}_0.id
}}

output "bucket_{n}_arn" {{
  description = "What policies of other services name, when service {n} lets them read"
  value       = aws_s3_bucket.bucket_{n}_0.arn
}}
"""
_CALL = """
module "{name}" {{
  source      = "../../modules/{name}"
  environment = var.environment
}}
"""
_MANIFEST = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: service-{n}
  labels: {{app: service-{n}, team: team-{owner}}}
spec:
  replicas: {owner}
  selector:
    matchLabels: {{app: service-{n}}}
  template:
    metadata:
      labels: {{app: service-{n}}}
    spec:
      containers:
        - name: main
          image: registry.example.com/service-{n}:{cost}
          env:
            - name: AWS_REGION
              value: eu-west-1
            - name: LOG_LEVEL
              value: info
"""
_SETTINGS = ("retention", "capacity", "timeout", "threshold", "period", "replicas", "quota", "interval")
_SHARED = ("network", "naming", "alarms", "dashboard", "queue")
_OTHERS = ("k8s.yaml", "pipeline.yml", "policy.json", "README.md", "app.py", "deploy.sh", "prod.tfvars")


def resources(chance: random.Random, n: int, least: int, most: int) -> str:
    """Between `least` and `most` resources of service `n`, without a key."""
    blocks = [_BUCKET, _QUEUE]
    return "".join(
        (blocks[0] if m == 0 else chance.choice(blocks)).format(
            n=n, m=m, owner=chance.randrange(1, 10), cost=chance.randrange(60, 86_400)
        )
        for m in range(chance.randint(least, most))
    )


def terraform(folder: Path, files: int, keys: int) -> None:
    """`files` root modules of one file each; the first `keys` of them declare an access key."""
    chance = random.Random(SEED)
    for n in range(files):
        path = folder / f"module_{n:04}"
        path.mkdir(parents=True)
        text = _VARIABLES + resources(chance, n, 18, 18) + (KEY.format(n=n) if n < keys else "")
        (path / "main.tf").write_text(text)


def cloudformation(folder: Path, files: int, keys: int) -> None:
    """`files` templates of 30 buckets; the first `keys` of them declare an access key, too."""
    for n in range(files):
        parts = [f"  Bucket{m}:\n    Type: AWS::S3::Bucket\n" for m in range(30)]
        if n < keys:
            parts.append(f"  Key:\n    Type: AWS::IAM::AccessKey\n    Properties:\n      UserName: svc-{n}\n")
        (folder / f"template_{n:04}.yaml").write_text("Resources:\n" + "".join(parts))


def monorepo(folder: Path, files: int, keys: int) -> None:
    """About `files` files, six in ten of them Terraform; `keys` services, spread evenly, declare an access key."""
    chance = random.Random(SEED)
    for name in _SHARED:
        shared = folder / "modules" / name
        shared.mkdir(parents=True)
        (shared / "main.tf").write_text(_VARIABLES + resources(chance, 9000 + _SHARED.index(name), 2, 5))
    services = max(1, round((files - len(_SHARED)) / 6.7))
    keyed = {round((number + 0.5) * services / keys) for number in range(keys)} if keys else set()
    written = len(_SHARED)
    for n in range(services):
        service = folder / f"services/service_{n:04}"
        service.mkdir(parents=True)
        calls = "".join(_CALL.format(name=name) for name in chance.sample(_SHARED, 2))
        main = resources(chance, n, 14, 40) + calls + (KEY.format(n=n) if n in keyed else "")
        contents = {"main.tf": main, "variables.tf": _variables(chance, n), "outputs.tf": _OUTPUTS.format(n=n)}
        contents["versions.tf"] = _VERSIONS
        share = (files - written) / (services - n) - len(contents)
        wanted = int(share) + (chance.random() < share - int(share))
        for name in chance.sample(_OTHERS, max(0, min(wanted, len(_OTHERS)))):
            contents[name] = _other(chance, name, n)
        for name, text in contents.items():
            (service / name).write_text(text)
        written += len(contents)


def _variables(chance: random.Random, n: int) -> str:
    names = chance.sample(_SETTINGS, chance.randint(3, len(_SETTINGS)))
    values = [chance.randrange(60, 86_400) for _ in names]
    return _VARIABLES + "".join(
        _VARIABLE.format(name=name, kind="number", n=n, value=value) for name, value in zip(names, values, strict=True)
    )


def _other(chance: random.Random, name: str, n: int) -> str:
    if name == "k8s.yaml":
        return _MANIFEST.format(n=n, owner=chance.randrange(1, 10), cost=chance.randrange(60, 86_400))
    if name == "prod.tfvars":
        return f'environment = "prod"\ntags        = {{ service = "{n}" }}\n'
    line = f"service {n}: {chance.random()} lorem ipsum dolor sit amet, consectetur adipiscing elit\n"
    if name == "policy.json":
        return '{"Version": "2012-10-17", "Statement": [' + f'{{"Sid": "S{n}", "Effect": "Deny"}}' + "]}\n"
    return "".join(f"# {line}" for _ in range(chance.randint(20, 120)))
