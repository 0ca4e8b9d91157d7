"""Our own box for a provider: named by its recipe, built when it is missing, given to Vagrant where that uses it."""

from __future__ import annotations

from lab import preflight
from lab.boxes import store
from lab.boxes.build import build
from lab.boxes.recipe import Recipe, VmRecipe, recipe_for
from lab.boxes.vm import build_vm
from lab.context import Context
from lab.events import Listener
from lab.home import Home


def name_of(provider: str, context: Context) -> str:
    """What our box for a lab is called; nothing is built."""
    return _recipe(provider, context).name


def obtain_box(provider: str, context: Context, home: Home, listener: Listener, *, force: bool = False) -> str:
    """The name of our box, which Vagrant has afterwards.

    Args:
        provider: lxc, libvirt or virtualbox.
        context: what the box is made for.
        home: the lab whose network the build uses.
        listener: told of the phases.
        force: build it again, also when it is there.

    Raises:
        MissingTool, NoPermission: it must be built, and something that the build needs is missing.
        EnvironmentProblem: the build failed; nothing half done stays behind.
    """
    return obtain(_recipe(provider, context), context, home, listener, force=force)


def obtain(recipe: Recipe | VmRecipe, context: Context, home: Home, listener: Listener, *, force: bool = False) -> str:
    """The same for a recipe."""
    if force or not store.box_file(recipe.name).exists():
        _build(recipe, context, home, listener)
    if store.is_for_vagrant(recipe.name) and not store.is_added(recipe.name):
        store.add(recipe.name)
    return recipe.name


def _recipe(provider: str, context: Context) -> Recipe | VmRecipe:
    base = recipe_for(context)
    return base if provider == "lxc" else VmRecipe(base, provider)


def _build(recipe: Recipe | VmRecipe, context: Context, home: Home, listener: Listener) -> None:
    if isinstance(recipe, Recipe):
        build(recipe, context, home, listener)
        return
    preflight.check("vm-box")
    if not store.box_file(recipe.base.name).exists():
        build(recipe.base, context, home, listener)
    build_vm(recipe, listener)
