"""The container files, checked without a container engine: they parse, and everything they name exists."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def needs(service: str) -> dict[str, str]:
    return {name: how["condition"] for name, how in SERVICES[service].get("depends_on", {}).items()}


def pins(name: str) -> dict[str, str]:
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9.-]+)(?:\[[^]]*\])?==(\S+)", text, flags=re.MULTILINE))


def test_airflows_four_services_and_both_databases_are_there() -> None:
    commands = {service.get("command") for service in SERVICES.values()}
    assert {"api-server", "scheduler", "dag-processor", "triggerer"} <= commands
    databases = {SERVICES[name]["environment"]["POSTGRES_DB"] for name in ("airflow-db", "warehouse")}
    assert databases == {"airflow", "care"}
    assert SERVICES["care-migrate"]["entrypoint"] == ["care", "migrate"]


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_waits_only_for_what_can_happen(service: str) -> None:
    for name, condition in needs(service).items():
        if condition == "service_healthy":
            assert "healthcheck" in SERVICES[name]
        else:
            assert condition == "service_completed_successfully" and SERVICES[name]["restart"] == "no"
    one_shot = SERVICES[service]["restart"] == "no"
    assert one_shot != ("healthcheck" in SERVICES[service]), "what keeps running tells its health"


def test_no_two_services_wait_for_each_other() -> None:
    started: set[str] = set()
    while ready := {name for name in SERVICES if name not in started and set(needs(name)) <= started}:
        started |= ready
    assert started == set(SERVICES)


def test_every_volume_is_declared_and_every_mounted_folder_exists() -> None:
    mounts = [mount.split(":")[0] for service in SERVICES.values() for mount in service.get("volumes", [])]
    named = {source for source in mounts if not source.startswith(".")}
    assert named == set(COMPOSE["volumes"])
    folders = {source for source in mounts if source.startswith(".")}
    assert folders == {"./include"}
    assert all((ROOT / folder).is_dir() for folder in folders)


def test_every_secret_comes_from_the_environment_and_is_explained() -> None:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    required = set(re.findall(r"\$\{(\w+):\?", text))
    offered = set(re.findall(r"^(\w+)=", example, flags=re.MULTILINE))
    assert required and required <= offered
    assert offered <= set(re.findall(r"\$\{(\w+):", text)), "a variable nobody reads"
    for name in required:
        assert re.search(rf"^{name}=$", example, flags=re.MULTILINE), (
            f"{name} has no value that could be kept"
        )
    secret = re.compile(r"(PASSWORD|SECRET|_KEY|CONN)\w*: (?!.*\$\{)", re.IGNORECASE)
    assert not secret.search(text)


def test_ports_open_to_this_machine_only_unless_the_user_says_otherwise() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert ports and all(re.match(r"127\.0\.0\.1:|\$\{\w+:-127\.0\.0\.1:", port) for port in ports)


def test_the_image_is_built_from_files_that_exist_and_reach_the_builder() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    for line in re.findall(r"^COPY .*", DOCKERFILE, flags=re.MULTILINE):
        for source in [word for word in line.split()[1:-1] if not word.startswith("--")]:
            assert (ROOT / source).exists(), source
            assert f"!{source}" in ignored, source


def test_the_image_has_the_airflow_we_pin_and_the_versions_the_tests_ran_with() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    airflow = next(d for d in project["dependencies"] if d.startswith("apache-airflow=="))
    assert DOCKERFILE.count(f"FROM apache/airflow:{airflow.removeprefix('apache-airflow==')}-python3.11") == 1
    production, runtime, dev = pins("production.txt"), pins("runtime.txt"), pins("dev.txt")
    assert len(production) > 100 and "apache-airflow-providers-fab" in production
    assert {name: v for name, v in production.items() if name in runtime and runtime[name] != v} == {}
    assert {name: v for name, v in dev.items() if name in runtime and runtime[name] != v} == {}
