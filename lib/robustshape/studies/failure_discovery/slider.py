"""A page's own toy: move an attribute of a digit and watch it, and what two classifiers read. Plain HTML, nothing loaded."""

import base64
import html
import io
import json

import numpy as np

from robustshape.generators.quality import sheet
from robustshape.models import short_name
from robustshape.models.zoo_names import without_seed
from robustshape.studies.failure_discovery import analyse, pictures

TEMPLATE = """<div class="failure-slider" id="failure-slider">
<style>
.failure-slider{border:1px solid #ccc;border-radius:6px;padding:.8rem;margin:1rem 0;max-width:44rem}
.failure-slider .fs-controls{display:flex;flex-wrap:wrap;gap:.6rem 1.2rem;align-items:center}
.failure-slider .fs-stage{display:flex;flex-wrap:wrap;gap:1rem;margin-top:.8rem;align-items:flex-start}
.failure-slider canvas{width:160px;height:160px;image-rendering:pixelated;background:#000}
.failure-slider .fs-predictions{flex:1 1 9rem;min-width:8.5rem;font-size:.78rem}
.failure-slider .fs-bar{display:flex;align-items:center;gap:.4rem;line-height:1.15}
.failure-slider .fs-bar span:first-child{width:1ch}
.failure-slider .fs-bar i{display:block;flex:none;height:.62rem;background:#8aa4c0}
.failure-slider .fs-bar.fs-own i{background:#b5462f}
.failure-slider input[type=range]{width:min(24rem,100%)}
</style>
<div class="fs-controls">
<label>digit <select class="fs-class">CLASSES</select></label>
<label>move <select class="fs-attribute">ATTRIBUTES</select></label>
</div>
<div><input class="fs-shift" type="range" min="0" max="LAST" value="MIDDLE" step="1" aria-label="shift in UNIT">
<output class="fs-out"></output></div>
<div class="fs-stage"><canvas width="SIZE" height="SIZE" role="img" aria-label="the moved digit"></canvas>PANELS</div>
<noscript>The slider needs JavaScript; the figures of this page show the same digits.</noscript>
<script>
(function(){
const root=document.getElementById("failure-slider"), data=DATA, sheet=new Image();
const pick=s=>root.querySelector(s), canvas=pick("canvas").getContext("2d");
function draw(){
 const c=+pick(".fs-class").value, a=+pick(".fs-attribute").value, p=+pick(".fs-shift").value;
 canvas.clearRect(0,0,data.size,data.size);
 canvas.drawImage(sheet,p*data.size,(a*data.classes+c)*data.size,data.size,data.size,0,0,data.size,data.size);
 pick(".fs-out").textContent=(data.places[p]>0?"+":"")+data.places[p]+data.unit;
 root.querySelectorAll(".fs-predictions").forEach((box,m)=>{
  const probabilities=data.probabilities[m][a][c][p];
  let best=0; probabilities.forEach((v,k)=>{if(v>probabilities[best])best=k});
  box.querySelector("b").textContent="reads "+best;
  box.querySelectorAll(".fs-bar").forEach((bar,k)=>{
   bar.classList.toggle("fs-own",k===c);
   bar.children[1].style.width=(probabilities[k]*0.7).toFixed(1)+"%";
   bar.children[2].textContent=(probabilities[k]/100).toFixed(2);});
 });
}
sheet.onload=draw; sheet.src="data:image/png;base64,SHEET";
root.addEventListener("input",draw);
})();
</script></div>"""


def page(rows, generator: str = ""):
    """Return the slider as HTML: one digit of each class along each attribute, read by two classifiers.

    The classifiers are the first of `rows`, and the first of another kind that saw corruptions in its training (else the
    second kind). All digits are in one picture, all probabilities in a table, both inside the page.
    """
    from IPython.display import HTML

    drawn = pictures.of_rows(rows, generator)
    if drawn is None:
        return HTML("<p>The generator of these rows is not here, so there is nothing to move.</p>")
    models, first = _two(rows), rows.isel(model=0)
    digits = []
    for i in range(rows.sizes["attribute"]):
        d, sign = int(first["direction"].values[i]), int(first["direction_sign"].values[i])
        for c in range(rows.sizes["class"]):
            moves = [{d: sign * float(place)} for place in rows.place.values]
            digits.append(drawn.moved(int(first["walk_sample"].values[c]), moves))
    probabilities = (
        rows["walk_answer"].sel(model=models).transpose("model", "attribute", "class", "place", "answer")
    )
    size = digits[0].shape[1]
    about = {
        "size": size,
        "classes": rows.sizes["class"],
        "unit": analyse.shift_unit(rows)[1],
        "places": [round(float(p), 3) for p in rows.place.values],
        "probabilities": np.rint(probabilities.values * 100).astype(int).tolist(),
    }
    names = [str(a).replace("_", " ") for a in rows.attribute.values]
    bars = "".join(
        f'<div class="fs-bar"><span>{k}</span><i></i><span></span></div>' for k in range(rows.sizes["answer"])
    )
    panels = "".join(
        f'<div class="fs-predictions"><div>{html.escape(short_name(without_seed(m)))} <b></b></div>{bars}</div>'
        for m in models
    )
    filled = {
        "CLASSES": "".join(f'<option value="{c}">{k}</option>' for c, k in enumerate(rows["class"].values)),
        "ATTRIBUTES": "".join(f'<option value="{i}">{name}</option>' for i, name in enumerate(names)),
        "LAST": str(rows.sizes["place"] - 1),
        "MIDDLE": str(rows.sizes["place"] // 2),
        "UNIT": analyse.shift_unit(rows)[0],
        "PANELS": panels,
        "SIZE": str(size),
        "DATA": json.dumps(about, separators=(",", ":")),
        "SHEET": _png(sheet(np.concatenate(digits), rows.sizes["place"])),
    }
    text = TEMPLATE
    for name, value in filled.items():
        text = text.replace(name, value)
    return HTML(text)


def _two(rows) -> list[str]:
    """Return the first classifier, and another to stand beside it; only the first where there is one kind."""
    found = analyse.kinds(rows)
    first = next(iter(found))
    others = [models[0] for name, models in found.items() if name != first]
    taught = [m for m in others if str(rows["trains_on"].sel(model=m).values)]
    return [found[first][0], *(taught or others)[:1]]


def _png(image) -> str:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(image.squeeze()).save(file, format="PNG", optimize=True)
    return base64.b64encode(file.getvalue()).decode()
