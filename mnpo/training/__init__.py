"""The shared trainer: every algorithm of the suite on language models, under one equal budget.

The parts, in the order in which a run uses them::

    recipe      what to train, on what, under which budget (YAML, checked by pydantic)
    data        prompts and preference pairs; groups of responses with their fixed token ids
    models      loading, saving and hashing policies; the embedded tiny model
    generation  where responses come from: transformers, vLLM, any OpenAI-compatible server
    oracles     who prefers what: reward models, pair models, judges, rules, and combinations
    logprobs    summed completion log-probs, the prompt's forward shared; the store
    engine      gradient steps on groups of responses (a transformers Trainer)
    methods     which algorithms have a form on language models, and which losses stand beside them
    online      Algorithms 1 and 2: sample, ask, pair, score the anchors, train, checkpoint
    runs        many methods and seeds in one run directory: plan, resume, export
"""
