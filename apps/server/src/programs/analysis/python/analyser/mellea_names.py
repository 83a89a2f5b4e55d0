"""What the names of mellea mean. Source: mellea 0.8 on PyPI; older paths from its releases 0.0.2 to 0.7."""

GENERATIVE = {
    "mellea.generative",
    "mellea.stdlib.components.genstub.generative",
    "mellea.stdlib.components.genslot.generative",
    "mellea.stdlib.genslot.generative",
}

# `ExtractedArgs` of genstub.py: a decorated function that has one of these is refused when it is defined.
RESERVED_ARGUMENTS = {
    "f_args", "f_kwargs", "m", "context", "backend", "model_options", "strategy", "precondition_requirements", "requirements",
}

_METHODS = ("instruct", "chat", "act", "validate", "query", "transform")
# Method to (kind, whether it is asynchronous).
METHODS = {name: (name, False) for name in _METHODS} | {f"a{name}": (name, True) for name in _METHODS}

SESSION_MAKERS = {
    "mellea.start_session", "mellea.stdlib.session.start_session", "mellea.MelleaSession", "mellea.stdlib.session.MelleaSession",
    "mellea.stdlib.session.get_session",
}
SESSION_TYPES = {"mellea.MelleaSession", "mellea.stdlib.session.MelleaSession"}

FUNCTION_MODULES = ("mellea.stdlib.functional.", "mellea.stdlib.session.", "mellea.stdlib.funcs.", "mellea.")

BACKENDS = {
    "OllamaModelBackend": "ollama", "OpenAIBackend": "openai", "LocalHFBackend": "huggingface", "WatsonxAIBackend": "watsonx",
    "LiteLLMBackend": "litellm", "LocalVLLMBackend": "vllm", "DummyBackend": "dummy",
}
BACKEND_FUNCTIONS = {"mellea.start_backend", "mellea.stdlib.start_backend.start_backend"}

STRATEGIES = {
    "RejectionSamplingStrategy", "RepairTemplateStrategy", "MultiTurnStrategy", "BudgetForcingSamplingStrategy",
    "MajorityVotingStrategyForMath", "MBRDRougeLStrategy", "SOFAISamplingStrategy", "ModelFriendlyRepairStrategy",
    "AgenticSamplingStrategy", "BaseSamplingStrategy", "SamplingPreset", "python_code_generation_sampling", "python_plotting_sampling",
}
REQUIREMENTS = {
    "Requirement", "req", "check", "reqify", "simple_validate", "LLMaJRequirement", "ALoraRequirement", "GroundednessRequirement",
    "PythonExecutionReq", "GuardianCheck", "uses_tool", "tool_arg_validator", "ImportRestrictions", "NoImportRestrictions",
    "OutputSizeLimit", "PythonCodeExtraction", "PythonSyntaxValid", "python_code_generation_requirements",
    "python_plotting_requirements", "MatplotlibHeadlessBackend", "PlotDependenciesAvailable", "PlotFileSaved",
}
MIFY = {
    "mellea.mify", "mellea.stdlib.components.mify", "mellea.stdlib.components.mify.mify", "mellea.stdlib.mify", "mellea.stdlib.mify.mify",
}

_ALIASES = (("mellea.mfuncs", "mellea.stdlib.functional"), ("mellea.model_ids", "mellea.backends.model_ids"))

# `mellea.__all__`, of 0.8 and before.
EXPORTS = {
    "mellea": {
        "Backend", "CBlock", "ChatContext", "Component", "Context", "Document", "Instruction", "Intrinsic", "MelleaLogger",
        "MelleaSession", "Message", "ModelOption", "ModelOutputThunk", "RejectionSamplingStrategy", "Requirement", "SamplingResult",
        "SimpleComponent", "SimpleContext", "TemplateRepresentation", "ValidationResult", "check", "generative", "mfuncs", "mify",
        "model_ids", "req", "serve", "simple_validate", "start_backend", "start_session",
    },
    "mellea.stdlib.components.genstub": {"generative", "PreconditionException"},
    "mellea.stdlib.components.genslot": {"generative", "PreconditionException"},
    "mellea.stdlib.genslot": {"generative"},
    "mellea.stdlib.session": {"MelleaSession", "start_session"},
    "mellea.stdlib.sampling": STRATEGIES,
    "mellea.stdlib.requirements": REQUIREMENTS,
    "mellea.stdlib.requirement": REQUIREMENTS,
    "mellea.stdlib.functional": set(METHODS),
}


def canonical(dotted):
    for alias, real in _ALIASES:
        if dotted == alias or dotted.startswith(f"{alias}."):
            return real + dotted[len(alias) :]
    return dotted


def is_mellea(dotted):
    return dotted == "mellea" or dotted.startswith("mellea.")


def classify(dotted):
    """`(kind, name, asynchronous)` of something of mellea that is called; None for the rest."""
    if not is_mellea(dotted):
        return None
    dotted = canonical(dotted)
    module, _, leaf = dotted.rpartition(".")
    if dotted in SESSION_MAKERS:
        return "session", leaf, False
    if dotted in BACKEND_FUNCTIONS or leaf in BACKENDS:
        return "backend", leaf, False
    if dotted in MIFY:
        return "mify", leaf, False
    if leaf in STRATEGIES:
        return "strategy", leaf, False
    if leaf in REQUIREMENTS:
        return "requirement", leaf, False
    if leaf in METHODS and f"{module}." in FUNCTION_MODULES:
        kind, is_async = METHODS[leaf]
        return kind, leaf, is_async
    return None
