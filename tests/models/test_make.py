"""Names of models, keys that leave the environment, and litellm."""

from __future__ import annotations

import importlib.util
import os
import pickle
import subprocess
import sys

import pytest

from agent.keys import Keys, take_keys
from agent.models.answers import Price
from agent.models.litellm_model import LiteLLM
from agent.models.make import ModelSettings, make_model
from agent.models.openai_compatible import OPENAI, OpenAICompatible
from agent.types import ModelRefused

KEYS = take_keys({"OPENAI_API_KEY": "sk-o", "GOOGLE_API_KEY": "sk-g", "AWS_ACCESS_KEY_ID": "a", "MINE_KEY": "sk-m"})


def test_a_plain_name_is_openai() -> None:
    for name in ("gpt-5", "openai/gpt-5"):
        model = make_model(ModelSettings(name, max_tokens=9, price=Price(1, 2)), KEYS, {})
        assert isinstance(model, OpenAICompatible)
        assert (model.name, model.url, model.api_key, model.max_tokens) == ("gpt-5", OPENAI, "sk-o", 9)
        assert model._options() == {"max_completion_tokens": 9}


def test_an_address_of_ones_own() -> None:
    for settings, environ in (
        (ModelSettings("org/m", base_url="http://h/v1"), {}),
        (ModelSettings("org/m"), {"OPENAI_BASE_URL": "http://h/v1"}),
    ):
        model = make_model(settings, Keys(), environ)
        assert isinstance(model, OpenAICompatible)
        assert (model.name, model.url, model.api_key) == ("org/m", "http://h/v1", None)


def test_a_provider_is_for_litellm() -> None:
    model = make_model(ModelSettings("gemini/flash"), KEYS, {})
    assert isinstance(model, LiteLLM)
    assert (model.name, model.secrets, model.key_name) == ("gemini/flash", {"api_key": "sk-g"}, "GOOGLE_API_KEY")
    bedrock = make_model(ModelSettings("bedrock/x"), KEYS, {})
    assert isinstance(bedrock, LiteLLM)
    assert bedrock.secrets == {"aws_access_key_id": "a"}
    bearer = make_model(ModelSettings("bedrock/x"), take_keys({"AWS_BEARER_TOKEN_BEDROCK": "b"}), {})
    assert isinstance(bearer, LiteLLM)
    assert bearer.secrets == {"api_key": "b"}
    assert "sk-g" not in repr(model)


def test_a_key_of_another_name() -> None:
    model = make_model(
        ModelSettings("m", base_url="https://h/v1", key="MINE_KEY"), take_keys({"MINE_API_KEY": "x"}), {}
    )
    assert isinstance(model, OpenAICompatible)
    assert (model.api_key, model.key_name) == (None, "MINE_KEY")


def test_what_cannot_be_made() -> None:
    with pytest.raises(ModelRefused, match=r"no key for gpt-5: set OPENAI_API_KEY .*--base-url"):
        make_model(ModelSettings("gpt-5"), Keys(), {})
    with pytest.raises(ModelRefused, match="no key for anthropic/claude: set ANTHROPIC_API_KEY in the environment"):
        make_model(ModelSettings("anthropic/claude"), KEYS, {})
    with pytest.raises(ModelRefused, match="set GEMINI_API_KEY or GOOGLE_API_KEY in the environment"):
        make_model(ModelSettings("gemini/flash"), Keys(), {})
    with pytest.raises(ModelRefused, match="no key for anthropic/claude: set MINE in the environment"):
        make_model(ModelSettings("anthropic/claude", key="MINE"), Keys(), {})
    assert isinstance(make_model(ModelSettings("ollama/llama"), Keys(), {}), LiteLLM), "it needs none"
    with pytest.raises(ModelRefused, match="must begin with http"):
        make_model(ModelSettings("m", base_url="localhost:8000"), Keys(), {})
    with pytest.raises(ModelRefused, match="OPENAI_API_KEY holds characters that no key has"):
        make_model(ModelSettings("m"), take_keys({"OPENAI_API_KEY": "sk-1\n"}), {})


SECRET = [
    "OPENAI_API_KEY",
    "ANTHROPIC_API_KEY",
    "OPENAI_ADMIN_KEY",
    "HF_TOKEN",
    "GITHUB_TOKEN",
    "AWS_ACCESS_KEY_ID",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_BEARER_TOKEN_BEDROCK",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AZURE_CLIENT_SECRET",
    "my_secret",
    "DB_PASSWORD",
    "AWS_SECRET_ACCESS_KEY",
    "AZURE_OPENAI_KEY",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "API_KEY",
    "X_API_KEY_2",
    "SENTRY_DSN",
    "DATABASE_URL",
    "GH_PAT",
    "SSH_PRIVATE_KEY",
    "MY_LLM_KEY",
    "MISTRAL_KEY",
    "PGPASSWORD",
    "MYSQL_PWD",
    "REPLICATE_APIKEY",
]
HARMLESS = [
    "AWS_CA_BUNDLE",
    "AWS_CONFIG_FILE",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_REGION_NAME",
    "AWS_ROLE_ARN",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AZURE_API_BASE",
    "AZURE_FEDERATED_TOKEN_FILE",
    "PATH",
    "HOME",
    "LANG",
    "OPENAI_BASE_URL",
    "DOCKER_HOST",
    "RAY_AUTH_TOKEN",
    "KEYBOARD",
    "PWD",
    "OLDPWD",
    "TOKENIZERS_PARALLELISM",
    "SSH_AUTH_SOCK",
    "XDG_SESSION_ID",
    "PYTHONPATH",
]


def test_keys_leave_the_environment() -> None:
    environ = {name: f"value of {name}" for name in SECRET + HARMLESS}
    keys = take_keys(environ)
    assert sorted(environ) == sorted(HARMLESS)
    assert keys.names == tuple(sorted(SECRET))
    assert keys.get("HF_TOKEN") == "value of HF_TOKEN"
    assert keys.first(["NONE", "GH_PAT"]) == ("GH_PAT", "value of GH_PAT")
    assert keys.first(["NONE"]) is None
    assert "value" not in repr(keys)
    assert pickle.loads(pickle.dumps(keys)).names == ()


PROBE = """
import ctypes, subprocess, sys
from agent.keys import take_keys, undumpable
keys = take_keys()
held = undumpable()
child = subprocess.run([sys.executable, "-c", "import os; print(sorted(os.environ))"], capture_output=True, text=True)
dumpable = ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)  # PR_GET_DUMPABLE
print(keys.get("OPENAI_API_KEY"), held, "OPENAI_API_KEY" in child.stdout, dumpable)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Linux only")
def test_no_child_inherits_a_key() -> None:
    environ = {**os.environ, "OPENAI_API_KEY": "sk-here"}
    ended = subprocess.run([sys.executable, "-c", PROBE], env=environ, capture_output=True, text=True, check=True)
    assert ended.stdout.split() == ["sk-here", "True", "False", "0"]


MISSING = """
import sys
sys.modules["litellm"] = None
from agent.models.litellm_model import LiteLLM
from agent.types import ModelRefused
try:
    LiteLLM("anthropic/x").reserve([])
except ModelRefused as error:
    print(error)
"""


def test_litellm_that_is_not_installed() -> None:
    ended = subprocess.run([sys.executable, "-c", MISSING], capture_output=True, text=True, check=True)
    assert "pip install 'elites[litellm]'" in ended.stdout


def test_litellm_is_imported_only_when_used() -> None:
    code = "import sys, agent.models.make, agent.ledger; print('litellm' in sys.modules, 'openai' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.split() == ["False", "False"]


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("litellm") is None, reason="litellm is not installed")
def test_litellm_over_http() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "tests.models.litellm_calls"], capture_output=True, text=True, check=False
    )
    assert ended.stdout.splitlines()[-1:] == ["every call as expected"], ended.stdout + ended.stderr
