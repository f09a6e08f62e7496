-- The same tables for DuckDB. Put the bucket for BUCKET, or the folder of a copy (`aws s3 sync`) for s3://BUCKET.
-- Without hive_types DuckDB reads account numbers as integers, and their leading zeros are lost.

CREATE OR REPLACE VIEW report_lines AS
SELECT * FROM read_json(
  's3://BUCKET/findings/*/*/findings.jsonl.gz',
  format = 'newline_delimited',
  hive_partitioning = true,
  hive_types = {'account': 'VARCHAR', 'date': 'VARCHAR'},
  columns = {
    'type': 'VARCHAR',
    'rule': 'VARCHAR',
    'severity': 'VARCHAR',
    'status': 'VARCHAR',
    'message': 'VARCHAR',
    'fingerprint': 'VARCHAR',
    'subject': 'STRUCT(kind VARCHAR, arn VARCHAR, slot INTEGER, created_at VARCHAR)',
    'facts': 'STRUCT(active BOOLEAN, days_since_rotation DOUBLE)',
    'inputs': 'STRUCT(generated_at VARCHAR)[]'
  }
);

CREATE OR REPLACE VIEW organization_accounts AS
SELECT * FROM read_json(
  's3://BUCKET/accounts/*/accounts.jsonl.gz',
  format = 'newline_delimited',
  hive_partitioning = true,
  hive_types = {'date': 'VARCHAR'},
  columns = {'account': 'VARCHAR', 'name': 'VARCHAR', 'state': 'VARCHAR'}
);
