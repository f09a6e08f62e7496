"""Ways to tie a key to a clock: SURE ones have one right verdict, that of Terraform; OPEN ones may be UNKNOWN, because
it depends on its version, or on what a function makes of an unknown value. `@` stands for the clock's id."""

from __future__ import annotations

from collections.abc import Mapping

CLOCK = 'resource "time_rotating" "c" {\n  rotation_days = 30\n}\n'
ID = "time_rotating.c.id"
Idiom = Mapping[str, str]


def key(trigger: str, lifecycle: str = "", arguments: str = "") -> str:
    return (
        f'resource "aws_iam_access_key" "k" {{\n  user = "bot"\n  {arguments}\n'
        f"  lifecycle {{\n    replace_triggered_by = [{trigger}]\n    {lifecycle}\n  }}\n}}\n"
    )


def carrier(arguments: str, lifecycle: str = "", kind: str = "terraform_data", name: str = "d") -> str:
    inside = f"  lifecycle {{\n    {lifecycle}\n  }}\n" if lifecycle else ""
    return f'resource "{kind}" "{name}" {{\n  {arguments}\n{inside}}}\n'


def one(*parts: str) -> Idiom:
    return {"main.tf": CLOCK + "".join(parts)}


def clocks(arguments: str, *parts: str, lifecycle: str = "") -> Idiom:
    """A configuration whose clock has further arguments, or a lifecycle."""
    return {"main.tf": carrier(f"{arguments}\n  rotation_days = 30", lifecycle, "time_rotating", "c") + "".join(parts)}


CARRIER = carrier(f"input = {ID}")
KEY = key("terraform_data.d")


def value(expression: str) -> Idiom:
    """A trigger that is worth an expression over the clock's id, written `@`."""
    return one(carrier(f"triggers_replace = {expression.replace('@', ID)}"), KEY)


SURE_VALUES = """
@
"${@}"
"x-${@}-y"
time_rotating.c
time_rotating.c.rotation_days
time_rotating.c.rotation_rfc3339
[@, 1]
{ a = @ }
[@, "b"][1]
[@, "b"][0]
{ a = @, b = 1 }.b
{ a = @, b = 1 }["b"]
{ a = @, b = 1 }.a
[for x in [@] : "c"]
[for x in [@] : x]
[for x in [time_rotating.c] : x.id]
[for x in [time_rotating.c] : "c"]
[for k, v in { a = @ } : k]
[for k, v in { a = @ } : v]
[for k, v in { a = @, b = 1 } : v if k == "b"]
{ for x in [@] : x => "c" }
{ for x in [@] : "k" => "c" }
{ for k, v in { a = @ } : k => v }
join("", [for x in [@] : ""])
substr(@, 0, 4)
formatlist("%s", [@])
format("%s", @)
format("a")
sensitive("x")
sensitive(@)
nonsensitive(sensitive(@))
jsonencode({ a = @ })
yamlencode({ a = @ })
sha256(@)
md5(@)
base64encode(@)
upper(@)
lower(@)
split("-", @)
split("-", @)[0]
replace(@, "-", "")
try("x", @)
try(@, "x")
try("", @)
try(tostring(@), "b")
coalesce("a", @)
coalesce(null, @)
coalesce(@, "a")
coalesce("", @)
lookup({}, "x", @)
lookup({ x = 1 }, "x", @)
lookup({ x = @ }, "x", 1)
lookup({ a = @, b = 2 }, "b", 1)
length([@])
length(time_rotating.c[*])
keys({ a = @ })
values({ a = @ })
one([@])
one(time_rotating.c[*].id)
tolist([@, "b"])[1]
tolist([@, "b"])[0]
tomap({ a = @, b = "1" })["b"]
element([@, 1], 1)
element([@, 1], 2)
merge({ a = @ }, { a = 1 })
merge({ a = 1 }, { a = @ })
merge({ a = @, b = 1 }, { b = 2 })
merge({ a = @ }, { b = 1 }).b
merge({ a = @ }, { b = 1 }).a
concat([@], [1])
concat([1], [2])
coalescelist([1], [@])
coalescelist([], [@])
distinct([@])
compact([@])
flatten([[@]])
reverse([@, 1])
sort([@])
toset([@])
setproduct([@], ["a"])
zipmap(["a"], [@])
range(length([@]))
max(0, length([@]))
1 == 2 ? @ : "z"
1 == 1 ? @ : "z"
true ? "a" : @
@ != "" ? 1 : 1
@ != "" ? null : null
[[@], 2][1]
timestamp()
uuid()
plantimestamp()
formatdate("YYYY", timestamp())
{ a = { b = @, c = 1 } }.a.c
{ a = { b = @, c = 1 } }.a.b
[for x in [for y in [@] : y] : x]
[for x in [for y in [@] : "y"] : x]
"%{ for x in [@] }a%{ endfor }"
"%{ for x in [@] }${x}%{ endfor }"
""".strip().splitlines()

OPEN_VALUES = """
formatdate("YYYY", plantimestamp()) == "" ? 1 : 1
length(toset([@]))
length(@)
@ == ""
@ == @
!(@ == "")
@ != "" ? "a" : "a"
@ != "" ? true : true
@ != "" ? "a" : "b"
true || @ == ""
false && @ == ""
@ == "" || true
[for x in [@] : "c" if x != ""]
can(@)
contains(["a"], @)
startswith(@, "")
startswith(@, "2")
anytrue([true, @ == ""])
alltrue([false, @ == ""])
slice([@, 1], 1, 2)
matchkeys(["a"], ["b"], [@])
min(1, length(@))
index([@, "a"], "a")
keys(time_rotating.c)
{ (@) = 1 }[@]
concat([@], [1])[1]
"x%{ if @ == "" }%{ endif }"
substr("abc", 0, length(@))
""".strip().splitlines()

SHAPES = ["@", "{ x = @, y = 1 }", "[@, 1]", "{ x = { z = @, w = 2 } }", "tomap({ x = @, y = 1 })", '"a"']
PARTS = ["", ".id", ".input", ".output", ".triggers_replace", *(f".{a}{s}" for a in ("input", "triggers_replace")
         for s in (".x", ".y", "[0]", ".0", '["x"]', ".x.z", ".x.w"))]  # fmt: skip

IGNORED = ["all", "[input]", '["triggers_replace"]', "[triggers_replace]", "[triggers_replace.t]", "[id]", "[]",
           '[triggers_replace["t"]]', "[triggers_replace.y]", '[triggers_replace["y"]]', '["triggers_replace.t"]',
           "[triggers_replace.t.v]", '[triggers_replace["t"]["v"]]', '[triggers_replace.t["v"]]', "[nothing]", "[all]",
           '["triggers_replace[\\"t\\"]"]', "[triggers_replace[0]]", "[(triggers_replace)]", "[triggers_replace.*]",
           "[triggers_replace.u, triggers_replace.t]", '[triggers_replace["u"], triggers_replace["t"]]',
           "[triggers_replace.w]", '["*"]', '"all"', "triggers_replace"]  # fmt: skip
IGNORING = ["{ t = @, y = 1 }", "{ t = @, u = @ }", "tomap({ t = @, u = @ })", "{ t = { v = @, w = 1 } }", "[@, 1]"]

PREVENTED = ["true", "false", '"true"', '"false"', "!false", "!true", "1 == 1", "(true)", '"${true}"', '"1"', '"0"',
             "true ? true : false", "false || true"]  # fmt: skip
REFUSED_SWITCHES = ["var.on", "local.on", 'tobool("true")', "null", '"yes"', "1"]
"""What Terraform 1.11 refuses in prevent_destroy and OpenTofu 1.11 takes, or what neither takes."""

ENTRIES = ["terraform_data.d", '"terraform_data.d"', '"${terraform_data.d.id}"', "local.on",
           "[terraform_data.d]", "terraform_data.d[0]", 'terraform_data.d["id"]', "terraform_data.d.nope", "var.on",
           "try(terraform_data.d)", "terraform_data.d.id, time_rotating.c", "time_rotating.c", "time_rotating.c.id",
           "time_rotating.c.rotation_rfc3339", "terraform_data.nowhere", "data.http.x", "null", "1", "self",
           "terraform_data.d[*]", "aws_iam_access_key.k", "each.key", "path.module"]  # fmt: skip
SWITCHES = 'variable "on" {\n  default = true\n}\nlocals {\n  on = true\n}\n'

COUNTED = ["terraform_data.d", "terraform_data.d[0]", "terraform_data.d[1]", "terraform_data.d[count.index]",
           "terraform_data.d[2]", "terraform_data.d[1].id", "terraform_data.d[0].id", "terraform_data.d.0",
           "terraform_data.d[*].id", "terraform_data.d[1 - 1]", "terraform_data.d.id",
           'terraform_data.d["0"]']  # fmt: skip
NAMED = ["terraform_data.d", 'terraform_data.d["a"]', 'terraform_data.d["b"]', 'terraform_data.d["a"].id',
         'terraform_data.d["z"]', "terraform_data.d.a", 'terraform_data.d["a"]["id"]']  # fmt: skip

CHILD = 'variable "clock" {\n  default = "none"\n}\n'


def called(child: str, arguments: str, root: str = "") -> Idiom:
    return {"main.tf": CLOCK + root + f'module "m" {{\n  source = "./m"\n{arguments}\n}}\n', "m/main.tf": CHILD + child}


FORMS: dict[str, Idiom] = {
    "depends_on of the key": one(key("", arguments="depends_on = [time_rotating.c]")),
    "depends_on of the trigger": one(carrier('input = "a"\n  depends_on = [time_rotating.c]'), KEY),
    "a trigger of a trigger": one(
        carrier(f"input = {ID}", name="e"),
        carrier("", "replace_triggered_by = [terraform_data.e]"),
        KEY,
    ),
    "a trigger of a trigger by an id that stays": one(
        carrier(f"input = {ID}", name="e"),
        carrier("", "replace_triggered_by = [terraform_data.e.id]"),
        KEY,
    ),
    "a triggered trigger's constant input": one(
        carrier(f"input = {ID}", name="e"),
        carrier('input = "a"', "replace_triggered_by = [terraform_data.e]"),
        key("terraform_data.d.input"),
    ),
    "a triggered trigger's output": one(
        carrier(f"input = {ID}", name="e"),
        carrier('input = "a"', "replace_triggered_by = [terraform_data.e]"),
        key("terraform_data.d.output"),
    ),
    "a triggered trigger that ignores all": one(
        carrier(f"input = {ID}", name="e"),
        carrier("", "replace_triggered_by = [terraform_data.e]\n    ignore_changes = all"),
        KEY,
    ),
    "a triggered trigger that is kept": one(
        carrier(f"input = {ID}", name="e"),
        carrier("", "replace_triggered_by = [terraform_data.e]\n    prevent_destroy = true"),
        KEY,
    ),
    "one of two triggers is kept": one(
        carrier(f"triggers_replace = {ID}"),
        carrier(f"triggers_replace = {ID}", "prevent_destroy = true", name="e"),
        key("terraform_data.d, terraform_data.e"),
    ),
    "a kept trigger that is updated in place": one(carrier(f"input = {ID}", "prevent_destroy = true"), KEY),
    "a kept clock": clocks("", CARRIER, KEY, lifecycle="prevent_destroy = true"),
    "a clock that ignores its period": clocks("", CARRIER, KEY, lifecycle="ignore_changes = all"),
    "a key that ignores all": one(CARRIER, key("terraform_data.d", "ignore_changes = all")),
    "create_before_destroy": one(CARRIER, key("terraform_data.d", "create_before_destroy = true")),
    "two attributes, one changes": one(
        carrier(f'input = "a"\n  triggers_replace = {ID}'), key("terraform_data.d.input")
    ),
    "no clock is counted": clocks("count = 0", carrier("triggers_replace = time_rotating.c[*].id"), KEY),
    "no clock, tried": clocks("count = 0", carrier('triggers_replace = try(time_rotating.c[0].id, "")'), KEY),
    "no clock, named": clocks("count = 0", carrier("triggers_replace = time_rotating.c[0].id"), KEY),
    "a counted clock": clocks("count = 1", carrier("triggers_replace = one(time_rotating.c[*].id)"), KEY),
    "a counted clock without its index": clocks("count = 1", carrier("triggers_replace = time_rotating.c.id"), KEY),
    "how many clocks there are": clocks("count = 2", carrier("triggers_replace = length(time_rotating.c)"), KEY),
    "clocks by name": clocks(
        'for_each = toset(["a", "b"])', carrier('triggers_replace = time_rotating.c["a"].id'), KEY
    ),
    "the names of clocks": clocks(
        'for_each = toset(["a", "b"])', carrier("triggers_replace = keys(time_rotating.c)"), KEY
    ),
    "clocks chained by for_each": clocks(
        'for_each = toset(["a", "b"])',
        carrier("for_each = time_rotating.c\n  triggers_replace = each.value.id"),
        key('terraform_data.d["a"]'),
    ),
    "no trigger is counted": one(carrier(f"count = 0\n  input = {ID}"), KEY),
    "null_resource": one(carrier(f"triggers = {{ a = {ID} }}", kind="null_resource"), key("null_resource.d")),
    "null_resource id": one(carrier(f"triggers = {{ a = {ID} }}", kind="null_resource"), key("null_resource.d.id")),
    "null_resource triggers": one(
        carrier(f"triggers = {{ a = {ID} }}", kind="null_resource"), key("null_resource.d.triggers")
    ),
    "null_resource one trigger by index": one(
        carrier(f'triggers = {{ a = {ID}, b = "1" }}', kind="null_resource"), key('null_resource.d.triggers["a"]')
    ),
    "null_resource another trigger by index": one(
        carrier(f'triggers = {{ a = {ID}, b = "1" }}', kind="null_resource"), key('null_resource.d.triggers["b"]')
    ),
    "null_resource one trigger by name": one(
        carrier(f'triggers = {{ a = {ID}, b = "1" }}', kind="null_resource"), key("null_resource.d.triggers.a")
    ),
    "null_resource ignores one trigger": one(
        carrier(f'triggers = {{ a = {ID}, b = "1" }}', 'ignore_changes = [triggers["a"]]', "null_resource"),
        key("null_resource.d"),
    ),
    "null_resource ignores another trigger": one(
        carrier(f'triggers = {{ a = {ID}, b = "1" }}', 'ignore_changes = [triggers["b"]]', "null_resource"),
        key("null_resource.d"),
    ),
    "null_resource ignores a trigger by name": one(
        carrier(f'triggers = {{ a = {ID}, b = "1" }}', "ignore_changes = [triggers.a]", "null_resource"),
        key("null_resource.d"),
    ),
    "random keepers": one(carrier(f"keepers = {{ a = {ID} }}", kind="random_id"), key("random_id.d.hex")),
    "random keepers that ignore": one(
        carrier(f"keepers = {{ a = {ID} }}", "ignore_changes = [keepers]", "random_id"), key("random_id.d")
    ),
    "time_static": one(carrier(f"rfc3339 = {ID}", kind="time_static"), key("time_static.d")),
    "random keepers that a splat ignores": one(
        carrier(f"keepers = {{ a = {ID} }}", "ignore_changes = [keepers[*]]", "random_id"), key("random_id.d")
    ),
    "time_static rfc3339": one(carrier(f"rfc3339 = {ID}", kind="time_static"), key("time_static.d.rfc3339")),
    "time_static ignores": one(
        carrier(f"rfc3339 = {ID}", "ignore_changes = [rfc3339]", "time_static"), key("time_static.d")
    ),
    "a local": one(f"locals {{\n  at = {ID}\n}}\n", carrier("input = local.at"), KEY),
    "an unused local": one(f"locals {{\n  at = {ID}\n}}\n", carrier('input = "v1"'), KEY),
    "the other part of a local": one(
        f'locals {{\n  at = {{ clock = {ID}, name = "a" }}\n}}\n',
        carrier("input = local.at.name"),
        KEY,
    ),
    "a clock handed to a module": called(carrier("input = var.clock") + KEY, f"  clock = {ID}"),
    "a clock handed to a module that ignores it": called(carrier('input = "a"') + KEY, f"  clock = {ID}"),
    "a clock handed to a module that hides it": called(
        carrier("input = var.clock", "ignore_changes = [input]") + KEY, f"  clock = {ID}"
    ),
    "a clock kept from a module": called(carrier("input = var.clock") + KEY, ""),
    "null handed to a module": called(carrier("input = var.clock") + KEY, "  clock = null"),
    "a constant made of the clock handed to a module": called(
        carrier("input = var.clock") + KEY, f'  clock = join("", [for x in [{ID}] : "c"])'
    ),
    "a whole clock handed to a module": called(carrier("input = var.clock.id") + KEY, "  clock = time_rotating.c"),
    "the clock of a module": {
        "main.tf": 'module "m" {\n  source = "./m"\n}\n' + carrier("input = module.m.id") + KEY,
        "m/main.tf": CLOCK + f'output "id" {{\n  value = {ID}\n}}\n',
    },
    "another output of a module": {
        "main.tf": 'module "m" {\n  source = "./m"\n}\n' + carrier("input = module.m.name") + KEY,
        "m/main.tf": CLOCK + f'output "id" {{\n  value = {ID}\n}}\noutput "name" {{\n  value = "a"\n}}\n',
    },
    "a module that is called twice, with and without": {
        "main.tf": CLOCK + f'module "m" {{\n  source   = "./m"\n  for_each = {{ a = {ID}, b = "no" }}\n'
        '  clock    = each.key == "z" ? each.value : "x"\n}\n',
        "m/main.tf": CHILD + carrier("input = var.clock") + KEY,
    },
}

SURE: dict[str, Idiom] = {
    **{f"value {each}": value(each) for each in SURE_VALUES},
    **{
        f"{argument} {shape} by {part}": one(
            carrier(f"{argument} = {shape.replace('@', ID)}"), key(f"terraform_data.d{part}")
        )
        for argument in ("input", "triggers_replace")
        for shape in SHAPES
        for part in PARTS
    },
    **{
        f"{shape} ignoring {entry}": one(
            carrier(f"triggers_replace = {shape.replace('@', ID)}", f"ignore_changes = {entry}"),
            KEY,
        )
        for shape in IGNORING
        for entry in IGNORED
    },
    **{
        f"the key prevents destroy {each}": one(CARRIER, key("terraform_data.d", f"prevent_destroy = {each}"))
        for each in PREVENTED
    },
    **{
        f"the trigger prevents destroy {each}": one(
            carrier(f"triggers_replace = {ID}", f"prevent_destroy = {each}"), KEY
        )
        for each in PREVENTED
    },
    **{f"entry {each}": one(SWITCHES, CARRIER, key(each)) for each in ENTRIES},
    **{
        f"counted {each}": one(
            carrier(f'count = 2\n  triggers_replace = count.index == 0 ? {ID} : "x"'), key(each, arguments="count = 1")
        )
        for each in COUNTED
    },
    **{
        f"named {each}": one(
            carrier(f'for_each = toset(["a", "b"])\n  triggers_replace = each.key == "a" ? {ID} : "x"'), key(each)
        )
        for each in NAMED
    },
    **FORMS,
}
OPEN: dict[str, Idiom] = {
    **{f"value {each}": value(each) for each in OPEN_VALUES},
    **{
        f"the key prevents destroy {each}": one(SWITCHES, CARRIER, key("terraform_data.d", f"prevent_destroy = {each}"))
        for each in REFUSED_SWITCHES
    },
}
