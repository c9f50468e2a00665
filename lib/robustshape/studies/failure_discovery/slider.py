"""A page's own toy: move an attribute of a digit and watch it, and what two classifiers read. Plain HTML, nothing loaded."""

import base64
import hashlib
import html
import io
import json
import re

import numpy as np

from robustshape.analysis.page import Shown
from robustshape.generators.quality import sheet
from robustshape.models import short_name
from robustshape.models.zoo_names import without_seed
from robustshape.studies.failure_discovery import analyse, pictures

# No id: the script finds its own part of the page by the digest of what it shows, so any number of sliders may stand there
TEMPLATE = """<div class="failure-slider" data-slider="DIGEST" role="group" aria-label="move a digit">
<style>
.failure-slider{border:1px solid rgba(128,128,128,.5);border-radius:6px;padding:.8rem;margin:1rem 0;max-width:44rem;color:inherit}
.failure-slider label{display:inline-flex;flex-wrap:wrap;gap:.5rem;align-items:center}
.failure-slider .fs-controls{display:flex;flex-wrap:wrap;gap:.6rem 1.2rem;align-items:center}
.failure-slider select{font:inherit;color:inherit;background:transparent;border:1px solid rgba(128,128,128,.7);border-radius:4px;padding:.15rem .3rem}
.failure-slider option{color:#000;background:#fff}
.failure-slider .fs-place{width:100%;margin-top:.6rem}
.failure-slider .fs-stage{display:flex;flex-wrap:wrap;gap:1rem;margin-top:.8rem;align-items:flex-start}
.failure-slider canvas{width:160px;height:160px;image-rendering:pixelated;background:#000;border-radius:4px}
.failure-slider .fs-predictions{flex:1 1 9rem;min-width:8.5rem;font-size:.85rem}
.failure-slider .fs-bar{display:flex;align-items:center;gap:.4rem;line-height:1.2;font-variant-numeric:tabular-nums}
.failure-slider .fs-bar span:first-child{width:1ch}
.failure-slider .fs-bar i{display:block;flex:none;height:.62rem;background:#6f93b8}
.failure-slider .fs-bar.fs-own i{background:#d55e00}
.failure-slider .fs-bar.fs-own span{font-weight:700}
.failure-slider input[type=range]{flex:1 1 12rem;min-width:0;max-width:24rem;accent-color:#d55e00}
.failure-slider output{min-width:6ch}
</style>
<div class="fs-controls">
<label>digit <select class="fs-class">CLASSES</select></label>
<label>move <select class="fs-attribute">ATTRIBUTES</select></label>
</div>
<label class="fs-place">shift in UNIT <input class="fs-shift" type="range" min="0" max="LAST" value="MIDDLE" step="1">
<output class="fs-out"></output></label>
<div class="fs-stage"><canvas width="SIZE" height="SIZE" role="img"></canvas>PANELS</div>
<noscript>The slider needs JavaScript; the figures of this page show the same digits.</noscript>
<script>
(function(){
const root=document.querySelector('[data-slider="DIGEST"]:not([data-ready])');
if(!root)return;
root.dataset.ready="yes";
const data=DATA, sheet=new Image(), pick=s=>root.querySelector(s), canvas=pick("canvas").getContext("2d");
function draw(){
 const c=+pick(".fs-class").value, a=+pick(".fs-attribute").value, p=+pick(".fs-shift").value, said=[];
 canvas.clearRect(0,0,data.size,data.size);
 canvas.drawImage(sheet,p*data.size,(a*data.classes+c)*data.size,data.size,data.size,0,0,data.size,data.size);
 const where=(data.places[p]>0?"+":"")+data.places[p]+data.unit;
 pick(".fs-out").textContent=where;
 pick(".fs-shift").setAttribute("aria-valuetext",where);
 root.querySelectorAll(".fs-predictions").forEach((box,m)=>{
  const probabilities=data.probabilities[m][a][c][p];
  let best=0; probabilities.forEach((v,k)=>{if(v>probabilities[best])best=k});
  box.querySelector("b").textContent="reads "+best;
  said.push(box.firstElementChild.textContent);
  box.querySelectorAll(".fs-bar").forEach((bar,k)=>{
   bar.classList.toggle("fs-own",k===c);
   bar.children[1].style.width=(probabilities[k]*0.6).toFixed(1)+"%";
   bar.children[2].textContent=(probabilities[k]/100).toFixed(2);});
 });
 pick("canvas").setAttribute("aria-label","the moved digit; "+said.join("; "));
}
sheet.onload=draw; sheet.src="data:image/png;base64,SHEET";
root.addEventListener("input",draw);
})();
</script></div>"""


def slider(rows, generator: str = "") -> Shown:
    """Return the slider: one digit of each class along each attribute, read by two classifiers.

    The classifiers are the first of `rows`, and the first of another kind that saw corruptions in its training (else the
    second kind). All digits are in one picture, all probabilities in a table, both inside the page.
    """
    drawn = pictures.of_rows(rows, generator)
    if drawn is None:
        return Shown("<p><em>The generator of these rows is not here, so there is nothing to move.</em></p>")
    models, digits = _two(rows), _digits(rows.isel(model=0), drawn)
    answers = (
        rows["walk_answer"].sel(model=models).transpose("model", "attribute", "class", "place", "answer")
    )
    size = digits.shape[1]
    about = {
        "size": size,
        "classes": rows.sizes["class"],
        "unit": analyse.shift_unit(rows)[1],
        "places": [round(float(p), 3) for p in rows.place.values],
        "probabilities": np.rint(answers.values * 100).astype(int).tolist(),
    }
    names = [html.escape(str(a).replace("_", " ")) for a in rows.attribute.values]
    bar = '<div class="fs-bar"><span>{}</span><i></i><span></span></div>'
    bars = "".join(bar.format(k) for k in range(rows.sizes["answer"]))
    filled = {
        "CLASSES": "".join(
            f'<option value="{c}">{html.escape(str(k))}</option>' for c, k in enumerate(rows["class"].values)
        ),
        "ATTRIBUTES": "".join(f'<option value="{i}">{name}</option>' for i, name in enumerate(names)),
        "LAST": str(rows.sizes["place"] - 1),
        "MIDDLE": str(rows.sizes["place"] // 2),
        "UNIT": analyse.shift_unit(rows)[0],
        "PANELS": "".join(
            f'<div class="fs-predictions"><div>{html.escape(short_name(without_seed(m)))} <b></b></div>{bars}</div>'
            for m in models
        ),
        "SIZE": str(size),
        "DATA": json.dumps(about, separators=(",", ":")),
        "SHEET": _png(sheet(digits, rows.sizes["place"])),
    }
    filled["DIGEST"] = hashlib.sha256("".join(filled.values()).encode()).hexdigest()[:12]
    return Shown(_filled(TEMPLATE, filled))


def _filled(template: str, values: dict[str, str]) -> str:
    """Return a template with each name replaced by its value, all at once: no value is searched for names.

    >>> _filled("<b>WHO</b> DATA", {"WHO": "a DATA set", "DATA": "[1]"})
    '<b>a DATA set</b> [1]'
    """
    return re.sub("|".join(map(re.escape, values)), lambda match: values[match[0]], template)


def _digits(row, drawn) -> np.ndarray:
    """Return the digits of a row's walks (attribute * class * place, r, r, c) uint8."""
    digits = []
    for step in row["direction"].transpose("attribute", "dimension").values:
        changes = np.outer(row.place.values, step)
        digits += [drawn.moved(int(sample), changes) for sample in row["walk_sample"].values]
    return np.concatenate(digits)


def _two(rows) -> list[str]:
    """Return the first classifier, and another to stand beside it; only the first where there is one kind."""
    found = analyse.kinds(rows)
    first = next(iter(found))
    others = [models[0] for name, models in found.items() if name != first]
    taught = [m for m in others if str(rows["trains_on"].sel(model=m).values)]
    return [found[first][0], *(taught or others)[:1]]


def _png(image) -> str:
    """Return a picture as base64, grey ones in 16 levels: noise is nearly all of the page's weight."""
    from PIL import Image

    file, picture = io.BytesIO(), Image.fromarray(image.squeeze())
    if picture.mode == "L":
        picture = Image.fromarray(np.asarray(picture) // 16, mode="P")
        picture.putpalette(np.repeat(np.arange(16, dtype=np.uint8) * 17, 3).tobytes())
        picture.save(file, format="PNG", optimize=True, bits=4)
    else:
        picture.save(file, format="PNG", optimize=True)
    return base64.b64encode(file.getvalue()).decode()
