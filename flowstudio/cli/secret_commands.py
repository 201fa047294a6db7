"""`flowstudio credentials` and `flowstudio token`. Values never come from arguments, where others could read them."""

import sys
from collections.abc import Sequence
from difflib import get_close_matches

import click

from flowstudio.cli.context import USER, application
from flowstudio.cli.output import table
from flowstudio.providers.registry import Registry
from flowstudio.workspace.errors import BadRequestError


@click.group()
def credentials() -> None:
    """Keep keys and passwords in the vault."""


@credentials.command("set")
@click.argument("provider")
@click.option("--field", "fields", multiple=True, help="A field to set; all required ones when left out.")
@click.option("--name", default="default", show_default=True, help="Name, to keep several for one provider.")
@USER
@click.pass_context
def set_credential(context: click.Context, provider: str, fields: tuple[str, ...], name: str, user_id: str) -> None:
    """Store a credential. Values are asked for, or read from standard input, one line each; never from arguments."""
    with application(context) as running:
        services = running.services
        wanted = credential_fields(services.registry(user_id), provider, fields)
        values = {field: ask(field, title) for field, title in wanted.items()}
        services.credentials.save(user_id, provider, values, name)
        warning = services.credentials.unlock()
    click.echo(f"Stored the credential “{name}” of {provider}.")
    if warning:
        click.echo(f"Warning: {warning}", err=True)


@credentials.command("list")
@USER
@click.pass_context
def list_credentials(context: click.Context, user_id: str) -> None:
    """List stored credentials, without their values."""
    with application(context) as running:
        rows = [
            (each.id, each.provider, each.name, ", ".join(each.types))
            for each in running.services.credentials.list(user_id)
        ]
    click.echo(table(rows) if rows else "The vault is empty.")


@credentials.command("delete")
@click.argument("credential_id")
@USER
@click.pass_context
def delete_credential(context: click.Context, credential_id: str, user_id: str) -> None:
    """Delete a credential by the id that `list` shows."""
    with application(context) as running:
        if not running.services.credentials.delete(user_id, credential_id):
            raise BadRequestError(f"There is no credential {credential_id}.", fix="See flowstudio credentials list.")
    click.echo("Deleted.")


@click.group()
def token() -> None:
    """Tokens for clients of a server that does not stand on loopback alone."""


@token.command("create")
@USER
@click.pass_context
def create_token(context: click.Context, user_id: str) -> None:
    """Make a token and print it, once."""
    with application(context) as running:
        click.echo(running.services.tokens.create(user_id))


@token.command("list")
@click.pass_context
def list_tokens(context: click.Context) -> None:
    """List tokens by id and user."""
    with application(context) as running:
        rows = [(each.id, each.user_id) for each in running.services.tokens.list()]
    click.echo(table(rows) if rows else "There are no tokens.")


@token.command("revoke")
@click.argument("token_id")
@click.pass_context
def revoke_token(context: click.Context, token_id: str) -> None:
    """Revoke a token by the id that `list` shows."""
    with application(context) as running:
        if not running.services.tokens.revoke(token_id):
            raise BadRequestError(f"There is no token {token_id}.", fix="See flowstudio token list.")
    click.echo("Revoked.")


def credential_fields(registry: Registry, provider: str, chosen: Sequence[str]) -> dict[str, str]:
    """Field name -> title of what is to be asked for. Raises BadRequestError for a name the provider does not have."""
    manifest = registry.provider(provider)
    if manifest is None:
        near = get_close_matches(provider, [each.id for each in registry.manifests], n=1)
        fix = f"Did you mean {near[0]}?" if near else "See flowstudio providers."
        raise BadRequestError(f"There is no provider {provider}.", fix=fix)
    known = {each.name: each.title for each in manifest.auth.fields}
    if not known:
        raise BadRequestError(f"{manifest.title} needs no credential.")
    for name in chosen:
        if name not in known:
            raise BadRequestError(f"{manifest.title} has no field {name}.", fix=f"It has {', '.join(known)}.")
    wanted = chosen or [each.name for each in manifest.auth.fields if each.required] or list(known)
    return {name: known[name] for name in wanted}


def ask(field: str, title: str) -> str:
    """A hidden prompt at a terminal, else the next line of standard input."""
    if sys.stdin.isatty():
        value: str = click.prompt(title, hide_input=True)
        return value
    value = sys.stdin.readline().rstrip("\r\n")
    if not value:
        raise BadRequestError(f"Standard input has no line for `{field}`.", fix="Send one line for each field.")
    return value
