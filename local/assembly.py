"""Makes the functions of a run from its template and settings. Imports SAM CLI, which takes half a second."""

import os

from local.gateway.logs import LogSink
from local.gateway.pool import Pool
from local.gateway.template import Template, read_template
from local.gateway.worker import lambda_environment
from local.settings import Settings, function_environment, passed_through, template_parameters


def make_pools(
    settings: Settings,
    db_port: int,
    s3_url: str,
    logs: LogSink,
    only: str | None = None,
    unseen: str | None = None,
) -> tuple[Template, dict[str, Pool]]:
    """The template, and a pool for each of its functions (or for `only` one). What the function `unseen` logs
    is in the file alone.
    """
    template = read_template(settings.template, template_parameters(settings, db_port, s3_url))
    keys = (settings.value("MINIO_ACCESS_KEY"), settings.value("MINIO_SECRET_KEY"))
    pools = {}
    for name, spec in template.functions.items():
        if only in (None, name):
            variables = function_environment(settings, spec.variables, db_port, s3_url)
            environ = lambda_environment(spec, variables | passed_through(os.environ), keys)
            sink = logs.unseen() if name == unseen else logs
            pools[name] = Pool(spec, environ, sink, settings.workers)
    return template, pools
