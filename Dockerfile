FROM python:3.11-slim

# In a container the image is the environment: manage.py looks for no .venv.
ENV BUREAU_NO_VENV=1 \
    BUREAU_PRODUCTION=1 \
    BUREAU_HOME=/data \
    BUREAU_KEYS=/keys \
    BUREAU_STATIC=/srv/static \
    PYTHONUTF8=1 \
    PYTHONUNBUFFERED=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1

WORKDIR /app
COPY requirements.lock ./
RUN pip install --require-hashes -r requirements.lock
COPY . .
RUN SECRET_KEY=only-for-collectstatic BUREAU_HOME=/tmp/build python manage.py collectstatic --noinput \
    && rm -r /tmp/build

RUN useradd --system --uid 10001 --no-create-home bureau \
    && install -d -o bureau -g bureau -m 0700 /data /keys
USER bureau
VOLUME ["/data", "/keys"]
EXPOSE 8000
CMD ["python", "-m", "gunicorn", "--config", "deploy/gunicorn.py", "bureau.wsgi"]
