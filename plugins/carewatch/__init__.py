"""Customer churn early warning and care: the core, free of Airflow and of the web."""
