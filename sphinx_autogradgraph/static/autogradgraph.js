/* sphinx-autogradgraph; made from frontend/ by «npm run build». */
"use strict";(()=>{function O(t){let e=document.createElement("div");return e.className="autogradgraph-controls",t!==void 0&&
(e.setAttribute("role","group"),e.setAttribute("aria-label",t)),e}function b(t,e,o){let n=document.createElement(
"button");return n.type="button",n.textContent=e,n.addEventListener("click",()=>o(n)),t.append(n),n}
function B(t){let e=document.createElement("span");return e.setAttribute("role","status"),t.append(e),
e}var U={};function ot(){let t=document.querySelector("[data-autogradgraph-words]");t instanceof HTMLElement&&
(U=JSON.parse(t.dataset.autogradgraphWords??"{}"))}function nt(){return"full"in U}function f(t,e={}){
return St(U[t]??"",e)}function St(t,e){return t.replace(/{(\w+)}/g,(o,n)=>String(e[n]??o))}var kt=["fill","stroke","stroke-width","stroke-dasharray","stroke-linecap","paint-order","font-famil\
y","font-size","font-weight","text-anchor"];async function rt(t,e){let o=At(t);try{await navigator.clipboard.
writeText(o);let n=e.textContent;e.textContent=f("copied"),setTimeout(()=>{e.textContent=n},1500)}catch{
let n=document.createElement("a");n.href=URL.createObjectURL(new Blob([o],{type:"image/svg+xml"})),n.
download=`${t.querySelector("title")?.id.replace(/-title$/,"")}.svg`,n.click(),URL.revokeObjectURL(n.
href)}}function At(t){let e=t.cloneNode(!0),o=[[t,e]];for(let n=o.pop();n;n=o.pop()){let[r,s]=n,a=getComputedStyle(
r);s.removeAttribute("tabindex");let c=kt.map(i=>`${i}:${a.getPropertyValue(i)}`);s.style.cssText=c.
join(";");for(let i=0;i<r.children.length;i+=1)o.push([r.children[i],s.children[i]])}return e.setAttribute(
"width",String(t.viewBox.baseVal.width)),e.setAttribute("height",String(t.viewBox.baseVal.height)),new XMLSerializer().
serializeToString(e)}function $(t){let e=t.querySelector("title")?.id.replace(/title$/,"")??"",o=new Map;for(let n of k(t))
o.set(n.id.slice(e.length),{node:n,into:[],out:[]});for(let n of t.querySelectorAll(".edge[data-ends\
]")){let[r,s]=n.getAttribute("data-ends")?.split(" ")??[];o.get(r)?.out.push({edge:n,to:s}),o.get(s)?.
into.push({edge:n,to:r})}return o}function k(t){return[...t.querySelectorAll(".autogradgraph-svg .no\
de")]}function M(t){return t.querySelector(".autogradgraph-svg")}function st(t,e){return k(t).find(o=>Lt(
o.dataset.node??"",e))}function Lt(t,e){return t?t.split(" ").some(o=>{let[n,r=n]=o.split("-").map(Number);
return n<=e&&e<=r}):!1}function at(t){return Number.parseInt(t.split(" ").pop()??"",10)}var vt="autogradgraph-hit";function Et(t,e){let o=e.trim().toLowerCase();return o!==""&&t.toLowerCase().
includes(o)}function W(t,e){let o=document.createElement("input");o.type="search",o.placeholder=f("s\
earch"),o.setAttribute("aria-label",f("search")),t.append(o);let n=-1,r=[];function s(){n=-1,r=[];for(let a of k(
e().parentElement)){let c=Et(a.textContent,o.value);a.classList.toggle(vt,c),c&&r.push(a)}}return o.
addEventListener("input",s),o.addEventListener("keydown",a=>{a.key!=="Enter"||!r.length||(a.preventDefault(),
n=(n+(a.shiftKey?r.length-1:1))%r.length,r[n].scrollIntoView({block:"center",inline:"center"}))}),{input:o,
update:s}}function it(t){let{canvas:e}=t,o=document.createElement("dialog");o.className="autogradgraph autogra\
dgraph-full",o.setAttribute("aria-label",f("full"));let n=O(),r=document.createElement("div");r.className=
"autogradgraph-canvas",r.tabIndex=0,r.setAttribute("role","region"),r.setAttribute("aria-label",f("f\
ull"));let s=new Map,a=1;function c(){let d=t.shown();s.has(d)||s.set(d,d.style.cssText),d.style.minWidth=
"0",d.style.width=`${d.viewBox.baseVal.width*a}px`}function i(d){let y=(r.scrollLeft+r.clientWidth/2)/
r.scrollWidth,L=(r.scrollTop+r.clientHeight/2)/r.scrollHeight;a=Math.min(8,Math.max(1/8,a*d)),c(),r.
scrollLeft=y*r.scrollWidth-r.clientWidth/2,r.scrollTop=L*r.scrollHeight-r.clientHeight/2}b(n,`− ${f(
"smaller")}`,()=>i(1/1.25)),b(n,`+ ${f("larger")}`,()=>i(1.25));let l=W(n,t.shown);l.input.value=t.search.
input.value,b(n,`× ${f("end")}`,()=>o.close()),r.addEventListener("wheel",d=>{d.ctrlKey&&(d.preventDefault(),
i(d.deltaY<0?1.1:1/1.1))},{passive:!1}),o.addEventListener("keydown",d=>{d.key==="Escape"&&o.close()}),
Ot(r),t.onShow=()=>{c(),l.update()},o.addEventListener("close",()=>{t.onShow=()=>{};for(let[d,y]of s)
d.style.cssText=y;e.append(t.shown()),t.search.input.value=l.input.value,t.search.update(),t.fit(),o.
remove()});let u=M(e);o.append(n,r),r.append(u),e.after(o),o.showModal(),i(1),l.update(),t.showOutput(
r),r.addEventListener("click",d=>{d.target.closest("a")&&o.close()})}function Ot(t){t.addEventListener(
"pointerdown",e=>{let o=e.target.closest(".node");if(e.button||e.pointerType==="touch"||o)return;e.preventDefault(),
t.setPointerCapture(e.pointerId);let n=s=>{t.scrollLeft-=s.movementX,t.scrollTop-=s.movementY};t.addEventListener(
"pointermove",n);let r=()=>t.removeEventListener("pointermove",n);t.addEventListener("pointerup",r,{
once:!0}),t.addEventListener("pointercancel",r,{once:!0})})}var Tt="autogradgraph-marked";function D(t,e){F(t,o=>{for(let n of[t,...e()])n.classList.toggle(Tt,o)})}
function F(t,e){let o=!1,n=!1;t.addEventListener("pointerenter",()=>{o=!0,e(!0)}),t.addEventListener(
"focusin",()=>{n=!0,e(!0)}),t.addEventListener("pointerleave",()=>{o=!1,e(n)}),t.addEventListener("f\
ocusout",()=>{n=!1,e(o)})}var R="autogradgraph-path";function $t(t){switch(t){case"BT":return{ArrowUp:"out",ArrowDown:"into",ArrowLeft:"\
before",ArrowRight:"after"};case"LR":return{ArrowUp:"before",ArrowDown:"after",ArrowLeft:"into",ArrowRight:"\
out"};case"RL":return{ArrowUp:"before",ArrowDown:"after",ArrowLeft:"out",ArrowRight:"into"};default:
return{ArrowUp:"into",ArrowDown:"out",ArrowLeft:"before",ArrowRight:"after"}}}function Mt(t,e){let o=new Set(
[t]),n=[],r=[t];for(let s=r.pop();s!==void 0;s=r.pop())for(let a of e(s))n.push(a),!o.has(a.to)&&(o.
add(a.to),r.push(a.to));return{keys:o,ways:n}}function lt(t){let e=$(t),o=new Map([...e].map(([i,{node:l}])=>[
l,i])),n=[...e.keys()],r=$t(t.dataset.direction??"TB"),s=0,a=i=>{t.classList.toggle("autogradgraph-t\
racing",i!==null);for(let l of t.querySelectorAll(`.${R}`))l.classList.remove(R);if(i!==null)for(let l of[
"into","out"]){let u=Mt(i,d=>e.get(d)?.[l]??[]);for(let d of u.keys)e.get(d)?.node.classList.add(R);
for(let{edge:d}of u.ways)d.classList.add(R)}};n.forEach((i,l)=>{let u=e.get(i).node;u.tabIndex=l?-1:
0,u.setAttribute("role","group"),u.setAttribute("aria-label",K(u)),F(u,d=>{clearTimeout(s),s=window.
setTimeout(a,d?120:60,d?i:null)})}),t.addEventListener("keydown",i=>{let l=o.get(ct(i));if(l===void 0||
i.altKey||i.ctrlKey||i.metaKey)return;let u=c(l,i.key);u!==void 0&&(i.preventDefault(),qt(e.get(u).node))}),
t.addEventListener("focusin",i=>{let l=ct(i);for(let{node:u}of e.values())u.tabIndex=u===l?0:-1});function c(i,l){
let u=n.indexOf(i);if(l==="Home")return n[0];if(l==="End")return n[n.length-1];let d=r[l];return d===
"before"?n[u-1]:d==="after"?n[u+1]:d&&e.get(i)?.[d][0]?.to}}function ct(t){return t.target.closest("\
.node")}function K(t){return[...t.querySelectorAll("text")].map(e=>e.textContent.trim()).join(" ")}function qt(t){
t.focus({preventScroll:!0}),t.scrollIntoView({block:"nearest",inline:"nearest"})}var Y=new Map;function j(t){for(let e of k(t)){let o=_(e);if(!o)continue;D(e,()=>[o]);let n=Y.get(o);
n||(n=[],Y.set(o,n),o.classList.add("autogradgraph-line"),o.tabIndex=0,D(o,()=>Y.get(o)??[])),n.push(
e)}for(let e of t.querySelectorAll(".autogradgraph-svg")){for(let o of e.querySelectorAll(".node.sha\
red")){let n=`.node.shared[data-node="${o.dataset.node}"]`;D(o,()=>e.querySelectorAll(n))}e.style.length||
(e.style.cssText=e.getAttribute("style")??""),lt(e)}}function _(t){let e=t.querySelector("a.line")?.
getAttribute("href");return e?document.getElementById(e.slice(1)):null}var dt=new Map;globalThis.autogradgraphLevel=(t,e)=>{dt.get(t)?.(e)};async function ut(t){let e=await new Promise(
(s,a)=>{dt.set(t.file??"",s);let c=document.createElement("script");c.src=t.url??"",c.onerror=a,document.
head.append(c)}),o=Uint8Array.from(atob(e),s=>s.charCodeAt(0)),n=new Blob([o]).stream().pipeThrough(
new DecompressionStream("gzip")),r=document.createElement("div");return r.innerHTML=await new Response(
n).text(),j(r),r.querySelector("svg")}function H(t){let e=t.querySelector(".node.output");if(!e)return;let o=E(e),n=E(t);t.scrollLeft+=o.x-
n.x,t.scrollTop+=o.y-n.y}function E(t){let{left:e,top:o,width:n,height:r}=t.getBoundingClientRect();
return{x:e+n/2,y:o+r/2}}function ft(t,e,o){let n=t.nodes[e],{gradient:r}=n,s=q(n,o),a=[r?o("receives",{node:s,shape:G(r.shape),
size:P(r,o)}):o("reached",{node:s})],c=t.edges.filter(l=>l.from===e&&l.gradient);c.length>1&&!t.outputs.
some(l=>l.node===e)&&a.push(o("sum",{parts:c.map(l=>Bt(t,l,o)).join(" + ")}));let i=Ct(t,n,o);return i&&
a.push(i),[...a,...Nt(n,o)].join(" ")}function pt(t,e){let n={tensors:t.outputs.map(a=>{let c=[a.name??
t.name,G(a.shape)].filter(Boolean).join(" ");return a.values===void 0?c:`${c} = ${X(a.values)}`}).join(
", "),node:t.op,call:t.call??""},r=[e(t.call?"computed":"made",n)],{source:s}=t;return s&&r.unshift(
e("line",{line:s.line,text:s.text.trim()})),r.join(" ")}function J(t,e){return t.nodes[e.to].derivatives?.
find(o=>o.input===e.input)?.formula}function Ct(t,e,o){let n=[];for(let r of t.edges.filter(({to:s})=>s===
e.id)){let s=J(t,r),a=r.gradient&&P(r.gradient,o),c=[s,a].filter(l=>l!==void 0).join(", "),i=q(t.nodes[r.
from],o);c&&n.push(o(s&&a?"passed":"passedShort",{what:c,node:i}))}return n.length?o("passes",{items:[
...n,...It(t,e,o)].join("; ")}):""}function It(t,e,o){let n=new Set;for(let{names:r}of e.derivatives??
[])for(let[s,a]of Object.entries(r)){let c=e.saved?.find(d=>d.role===a),i=s==="result"?e.id:c?.node;
if(s!==a||i===void 0||i===null)continue;let l=t.nodes[i],u=l.kind==="function";n.add(o(u?"isMade":"i\
sTensor",{name:s,node:q(l,o)}))}return n}function Nt(t,e){let{gradient:o,name:n}=t,r=t.outputs[0]?.flags,
s=o?P(o,e):"";if(t.kind==="leaf"){let a={node:q(t,e),size:s,shape:G(r?.grad??null)};return!o||!r?[e(
"kept",a)]:[e(r.grad?"added":"first",a)]}return!n||!r||r.is_leaf?[]:[e(r.retains_grad?"retained":"no\
tKept",{node:n})]}function Bt(t,e,o){let n=e.gradient;return o("part",{size:P(n,o),node:q(t.nodes[e.
to],o)})}function P(t,e){return typeof t.values=="number"?X(t.values):e("norm",{norm:t.norm??"?"})}function q(t,e){
return t.kind==="function"?t.op:t.name??e("unnamed")}function G(t){return t?t.length===1?`(${t[0]},)`:
`(${t.join(", ")})`:"?"}function X(t){return Array.isArray(t)?`[${t.map(X).join(", ")}]`:String(t).replace(
"-","−")}var mt="autogradgraph-formula",Wt=4;function Q(t,e,o,n){for(let s of t.querySelectorAll(`.${mt}`))s.
remove();if(!o)return;let r=o.edges.filter(s=>s.to===n);for(let{edge:s,from:a}of e){let c=r.findIndex(
d=>d.from===a),i=s.querySelector("path");if(c<0||!i)continue;let[l]=r.splice(c,1),u=J(o,l);u&&Dt(t,i,
u)}}function Dt(t,e,o){let n=document.createElementNS("http://www.w3.org/2000/svg","text");n.classList.
add(mt),n.setAttribute("aria-hidden","true"),n.textContent=o;let r=e.closest("svg > g");r.append(n);
let{x:s,y:a}=e.getPointAtLength(e.getTotalLength()/2),c=n.getBBox().width/2+Wt,i=-r.transform.baseVal.
getItem(0).matrix.e,l=i+t.viewBox.baseVal.width-c;n.setAttribute("x",String(Math.max(i+c,Math.min(s,
l)))),n.setAttribute("y",String(a)),n.setAttribute("dy",".35em")}var Rt=1200,jt=35;function ht(t,e){let o=t.parentElement?.querySelector("script.autogradgraph-data"),
n=t.querySelector(".order")!==null;if(!n&&!o?.textContent?.includes('"values"'))return;let r=JSON.parse(
o?.textContent||'{"nodes": [], "edges": [], "outputs": []}'),s=O(f("passes_label"));t.after(s);let a=n?
"backward":"forward",c=0,i=0,l=b(s,`◀ ${f("before")}`,()=>{g(),L(c-1)}),u={forward:b(s,"",()=>x("f\
orward")),backward:b(s,"",()=>x("backward"))};u.backward.hidden=!n;let d=b(s,`${f("next")} ▶`,()=>{
g(),L(c+1)}),y=B(s);y.className="autogradgraph-player";function L(p){let h=Z(t,a);c=Math.max(0,Math.
min(p,h.length)),T();for(let{boxes:w}of h.slice(0,Math.max(0,c-1)))C(w,"done");a==="forward"&&c&&I(h.
slice(c)),y.textContent=c?m(h):"",l.disabled=c===0,d.disabled=c===h.length,c===h.length&&g()}function T(){
for(let p of["now","done","flow","ahead"])for(let h of e().querySelectorAll(`.autogradgraph-${p}`))h.
classList.remove(`autogradgraph-${p}`);Q(e(),[]);for(let p of document.querySelectorAll(".autogradgr\
aph-line.autogradgraph-now"))p.classList.remove("autogradgraph-now")}function I(p){let h=new Set(p.flatMap(
w=>w.boxes));C(h,"ahead");for(let{node:w,into:v}of $(e()).values())h.has(w)&&C(v.map(({edge:tt})=>tt),
"ahead")}function m(p){let{boxes:h,id:w}=p[c-1];C(h,"now"),h[0].scrollIntoView({block:"nearest",inline:"\
nearest"}),_(h[0])?.classList.add("autogradgraph-now");let v=$(e()),et=[...v.values()].filter(({node:A})=>h.
includes(A)).flatMap(A=>A.into);C(et.map(({edge:A})=>A),"flow");let z={number:c,count:p.length},N=w===
null?void 0:r.nodes[w];if(!N){let A=h[0].querySelector(".op, .name, .meta")?.textContent??"",V=a==="\
backward"?f("reached",{node:A}):K(h[0]);return`${f("step",z)} ${V}`}if(a==="forward")return`${f("ste\
p",z)} ${pt(N,f)}`;let yt=et.map(({edge:A,to:V})=>({edge:A,from:gt(v.get(V)?.node)}));return Q(e(),yt,
r,N.id),`${f("step",z)} ${ft(r,N.id,f)}`}function x(p){let h=i!==0;if(g(),h&&p===a)return;let w=Z(t,
p).length;(p!==a||c===w)&&(a=p,c=0),S()}function S(){if(L(c+1),c===Z(t,a).length)return;let p=y.textContent?.
length??0;i=window.setTimeout(S,Math.max(Rt,jt*p)),u[a].textContent=`❚❚ ${f("pause")}`}function g(){
clearTimeout(i),i=0,u.forward.textContent=`▶ ${f("playForward")}`,u.backward.textContent=`▶ ${f(
"play")}`}g(),L(0)}function Z(t,e){let o=new Map;for(let n of k(t)){let r=n.querySelector(".order")?.
textContent,s=n.dataset.node??"";if(!(e==="backward"?r:n.matches(".function, .module, .output")))continue;
let c=e==="backward"?Number.parseInt(r??"",10):Ht(s),i=o.get(s)??{boxes:[],rank:c,id:gt(n)};i.boxes.
push(n),o.set(s,i)}return[...o.values()].sort((n,r)=>n.rank-r.rank)}function gt(t){let e=t?.dataset.
node??"";return/^\d+$/.test(e)?Number(e):null}function Ht(t){return Number(t.split(/[ -]/).pop())}function C(t,e){
for(let o of t)o.classList.add(`autogradgraph-${e}`)}var Pt=40;function wt(t){let e=JSON.parse(t.dataset.levels??"[{}]");if(e[0].svg=M(t)??void 0,!e[0].svg||
!nt())return;let o=0,n=()=>e[o].svg,r=O();t.before(r);let s=b(r,`− ${f("close")}`,()=>y(o-1)),a=b(
r,`+ ${f("open")}`,()=>y(o+1)),c=B(r),i=W(r,n),l={canvas:t,shown:n,search:i,onShow(){},fit:d,showOutput:H},
u=b(r,f("full"),()=>it(l));b(r,f("copy"),m=>rt(n(),m));for(let m of[s,a,c])m.hidden=e.length===1;ht(
t,n);for(let{svg:m}of e)m&&I(m);T(),H(t),new ResizeObserver(d).observe(t);function d(){let m=M(t);if(!m)
return;let x=t.scrollWidth>t.clientWidth+1||t.scrollHeight>t.clientHeight+1,S={tabindex:"0",role:"re\
gion","aria-label":zt(t)};for(let[p,h]of Object.entries(S))x?t.setAttribute(p,h):t.removeAttribute(p);
u.hidden=!x&&m.clientWidth>=m.viewBox.baseVal.width-1,i.input.hidden=k(t).length<=Pt;let g=[u,i.input,
a].every(p=>p.hidden);r.classList.toggle("autogradgraph-quiet",g)}async function y(m,x){if(!e[m])return;
let S=n();t.setAttribute("aria-busy","true");try{e[m].svg||(e[m].svg=await ut(e[m]),I(e[m].svg))}catch{
e.length=m,T();return}finally{t.removeAttribute("aria-busy")}let g=S.parentElement,p=x??Vt(S,g),h=p&&
E(p);S.replaceWith(L(m)),T(),l.onShow();let w=p&&st(n(),at(p.dataset.node??""));if(!h||!w){H(g);return}
let v=()=>({x:E(w).x-h.x,y:E(w).y-h.y});g.scrollLeft+=v().x,g.scrollTop+=v().y,x&&(g===t&&window.scrollBy(
0,v().y),w.scrollIntoView({block:"nearest",inline:"nearest"}),w.focus({preventScroll:!0}))}function L(m){
return o=m,n()}function T(){let m=document.activeElement;s.disabled=o===0,a.disabled=o===e.length-1,
e.length>1&&(c.textContent=f("state",{count:(e[o].nodes??0).toLocaleString()})),m===s&&s.disabled&&a.
focus(),m===a&&a.disabled&&s.focus(),i.update(),d()}function I(m){if(e.length!==1)for(let x of m.querySelectorAll(
".node.module:not(.cut)")){x.classList.add("autogradgraph-opens");let S=g=>{!g.target.closest("a")&&
o<e.length-1&&y(o+1,x)};x.addEventListener("click",S),x.addEventListener("keydown",g=>{g.key==="Ente\
r"&&S(g)})}}}function zt(t){return(t.parentElement?.querySelector("figcaption .caption-text")??t.querySelector(
"title"))?.textContent??""}function Vt(t,e){let o=E(e),n,r=Number.POSITIVE_INFINITY;for(let s of t.querySelectorAll(
".node")){let{x:a,y:c}=E(s),i=Math.hypot(a-o.x,c-o.y);i<r&&(r=i,n=s)}return n}var Ut=["class","style","data-theme","data-mode","data-bs-theme","data-md-color-scheme"];function bt(){
let t=document.documentElement,e=()=>{let r=document.querySelector(".autogradgraph")??document.body;
t.dataset.autogradgraphScheme=Ft(r)??(Yt()?"dark":"light")},o="autogradgraphScheme"in t.dataset;if(e(),
o)return;let n=new MutationObserver(e);for(let r of[t,document.body])n.observe(r,{attributes:!0,attributeFilter:Ut});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change",e)}function Ft(t){for(let e=t.parentElement;e;e=
e.parentElement){let o=Kt(getComputedStyle(e).backgroundColor);if(o!==null)return o?"dark":"light"}return null}
function Kt(t){let e=t.match(/[\d.]+/g)?.map(Number);if(!e||e.length<3||e[3]===0)return null;let[o,n,
r]=e;return .2126*o+.7152*n+.0722*r<128}function Yt(){return getComputedStyle(document.documentElement).
colorScheme.includes("dark")&&matchMedia("(prefers-color-scheme: dark)").matches}function xt(){ot(),bt();let t=".autogradgraph > .autogradgraph-canvas:not([data-autogradgraph-ready]\
)";for(let e of document.querySelectorAll(t))e instanceof HTMLElement&&(e.dataset.autogradgraphReady=
"",wt(e),j(e))}document.readyState==="loading"?document.addEventListener("DOMContentLoaded",xt):xt();})();
