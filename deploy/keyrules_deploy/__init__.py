"""keyrules as AWS Lambda functions: each account judged by the engine, in process, and the verdicts handed on."""
