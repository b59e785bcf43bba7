# The production image: Airflow's own, our pinned requirements, our code and configuration.
# Built and run nowhere yet: the machine it was written on has no container engine. tests/layout/test_containers.py
# checks what can be checked without one.
FROM apache/airflow:3.3.2-python3.11

COPY --chown=airflow:0 requirements/production.txt /opt/airflow/requirements/production.txt
RUN pip install --no-cache-dir --require-hashes -r /opt/airflow/requirements/production.txt

COPY --chown=airflow:0 pyproject.toml README.md LICENSE /opt/airflow/
COPY --chown=airflow:0 dags /opt/airflow/dags
COPY --chown=airflow:0 plugins /opt/airflow/plugins
COPY --chown=airflow:0 include /opt/airflow/include
COPY --chown=airflow:0 config /opt/airflow/config
# The code runs from plugins/ itself; installing adds the command `care`.
RUN pip install --no-cache-dir --no-deps --no-build-isolation -e /opt/airflow
