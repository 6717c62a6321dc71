// SPDX-License-Identifier: Apache-2.0
// Owns escaping and the geometry of charts.
#include "gen/cost/page.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void hw_page_text(FILE *to, const char *text)
{
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        const char *entity = *p == '&'    ? "&amp;"
                             : *p == '<'  ? "&lt;"
                             : *p == '>'  ? "&gt;"
                             : *p == '"'  ? "&quot;"
                             : *p == '\'' ? "&#39;"
                             : *p < 32    ? " "
                                          : NULL;
        if (entity)
            fputs(entity, to);
        else
            fputc(*p, to);
    }
}

void hw_page_json(FILE *to, const json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(12));
    for (const char *p = text; p && *p; p++) {
        if (*p == '<' || *p == '>' || *p == '&')
            fprintf(to, "\\u%04x", (unsigned)*p);
        else
            fputc(*p, to);
    }
    free(text);
}

const char *hw_page_human(char to[32], double x)
{
    static const struct {
        double by;
        const char *unit;
    } step[] = {{1e12, " T"}, {1e9, " G"}, {1e6, " M"}, {1e4, " k"}};
    double v = x;
    const char *unit = "";
    for (size_t i = 0; i < sizeof step / sizeof step[0] && !*unit; i++) {
        if (fabs(x) >= step[i].by) {
            unit = step[i].unit;
            v = x / (step[i].by < 1e5 ? 1e3 : step[i].by);
        }
    }
    double a = fabs(v);
    int digits = a >= 100 ? 0 : a >= 10 ? 1 : 2;
    if (a > 0.0 && a < 1.0)
        snprintf(to, 32, "%.*g", a < 0.1 ? 2 : 3, v);
    else if (a == floor(a) && a < 1e4)
        snprintf(to, 32, "%.0f%s", v, unit);
    else
        snprintf(to, 32, "%.*f%s", digits, v, unit);
    return to;
}

// --- charts: the data's area is LEFT..RIGHT x TOP..BOTTOM of the view box

enum { WIDTH = 420, HEIGHT = 250, LEFT = 54, RIGHT = 408, TOP = 26, BOTTOM = 206 };

static double fraction(double v, double from, double to, bool is_log)
{
    double share = is_log ? log(v / from) / log(to / from) : (v - from) / (to - from);
    return fmin(fmax(share, 0.0), 1.0);
}

static double at_x(const struct hw_chart *c, double x)
{
    return LEFT + (RIGHT - LEFT) * fraction(x, c->x0, c->x1, c->log_x);
}

static double at_y(const struct hw_chart *c, double y)
{
    return BOTTOM - (BOTTOM - TOP) * fraction(y, c->y0, c->y1, c->log_y);
}

// The first tick at or above `from`, and from one tick to the next.
static double first_tick(double from, double to, bool is_log, double *step)
{
    if (is_log) {
        double decades = log10(to / from);
        *step = decades > 6 ? 100.0 : 10.0;
        return pow(10.0, ceil(log10(from) - 1e-9));
    }
    double raw = (to - from) / 4, power = pow(10.0, floor(log10(raw)));
    *step = power * (raw / power > 5 ? 10 : raw / power > 2 ? 5 : raw / power > 1 ? 2 : 1);
    return ceil(from / *step - 1e-9) * *step + 0.0; // no negative zero
}

static void ticks(const struct hw_chart *c, bool horizontal)
{
    double from = horizontal ? c->x0 : c->y0, to = horizontal ? c->x1 : c->y1, step;
    bool is_log = horizontal ? c->log_x : c->log_y;
    char name[32];
    double t = first_tick(from, to, is_log, &step);
    for (int i = 0; i < 20 && t <= to * (1 + 1e-9); i++, t = is_log ? t * step : t + step) {
        if (horizontal)
            fprintf(c->to,
                    "<path class=grid d=\"M%.1f %dV%d\"/><text x=\"%.1f\" y=\"%d\" "
                    "text-anchor=middle>%s</text>",
                    at_x(c, t), TOP, BOTTOM, at_x(c, t), BOTTOM + 15, hw_page_human(name, t));
        else
            fprintf(c->to,
                    "<path class=grid d=\"M%d %.1fH%d\"/><text x=\"%d\" y=\"%.1f\" "
                    "text-anchor=end>%s</text>",
                    LEFT, at_y(c, t), RIGHT, LEFT - 6, at_y(c, t) + 4, hw_page_human(name, t));
    }
}

void hw_chart_open(const struct hw_chart *c, const char *x_title, const char *y_title,
                   const char *what)
{
    fprintf(c->to, "<svg viewBox=\"0 0 %d %d\" role=img aria-label=\"", WIDTH, HEIGHT);
    hw_page_text(c->to, what);
    fputs("\">", c->to);
    ticks(c, true);
    ticks(c, false);
    fprintf(c->to, "<path class=axis d=\"M%d %dH%d\"/>", LEFT, BOTTOM, RIGHT);
    fprintf(c->to, "<text class=title x=\"%d\" y=\"%d\" text-anchor=middle>", (LEFT + RIGHT) / 2,
            HEIGHT - 8);
    hw_page_text(c->to, x_title);
    fprintf(c->to, "</text><text class=title x=\"%d\" y=\"%d\">", 4, TOP - 13);
    hw_page_text(c->to, y_title);
    fputs("</text>", c->to);
}

void hw_chart_line(const struct hw_chart *c, const double *x, const double *y, int n, int series)
{
    fprintf(c->to, "<path class=\"line s%d\" d=\"", series);
    for (int i = 0; i < n; i++)
        fprintf(c->to, "%c%.1f %.1f", i ? 'L' : 'M', at_x(c, x[i]), at_y(c, y[i]));
    fputs("\"/>", c->to);
}

void hw_chart_level(const struct hw_chart *c, double y, const char *name)
{
    if (y < c->y0 || y > c->y1)
        return;
    fprintf(c->to, "<path class=level d=\"M%d %.1fH%d\"/><text class=note x=\"%d\" y=\"%.1f\">",
            LEFT, at_y(c, y), RIGHT, LEFT + 4, at_y(c, y) - 4);
    hw_page_text(c->to, name);
    fputs("</text>", c->to);
}

void hw_chart_close(const struct hw_chart *c)
{
    fputs("</svg>\n", c->to);
}

// --- style and script

const char HW_PAGE_STYLE[] =
    ":root{--bg:#fbfaf7;--card:#fff;--ink:#1c1b19;--mute:#6b6862;--line:#e4e0d8;--s0:#2a78d6;"
    "--s1:#1a9a6c;--s2:#c98500;--s3:#d6456b;--s4:#6b54c9;--s5:#3c9fb0;--s6:#8a7a5c;--s7:#9aa0a6;"
    "color-scheme:light dark}\n"
    "@media(prefers-color-scheme:dark){:root{--bg:#161513;--card:#201f1c;--ink:#ece8e0;"
    "--mute:#a19c92;--line:#36332e;--s0:#5b9ee8;--s1:#3fbf8f;--s2:#e0a63a;--s3:#ea7391;"
    "--s4:#9a86ea;--s5:#62c0d0;--s6:#b8a682;--s7:#7d8288}}\n"
    "*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--ink);"
    "font:15px/1.5 system-ui,sans-serif}\n"
    "main{max-width:1120px;margin:0 auto;padding:28px 18px 60px}\n"
    "h1{font-size:27px;line-height:1.2;margin:0 0 4px;overflow-wrap:anywhere}"
    "h2{font-size:17px;margin:0 0 2px}"
    "p{margin:4px 0 10px;color:var(--mute);font-size:13.5px}\n"
    ".tiles{display:grid;grid-template-columns:repeat(auto-fill,minmax(158px,1fr));gap:10px;"
    "margin:18px 0}"
    ".tile,section{background:var(--card);border:1px solid var(--line);border-radius:10px}"
    ".tile{padding:12px 14px}.tile b{display:block;font-size:23px;font-weight:650;line-height:1.25}"
    ".tile span,.tile small{display:block;color:var(--mute);font-size:12.5px}\n"
    ".cols{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:12px}"
    "section{padding:16px 18px;min-width:0;margin:0}section.wide{grid-column:1/-1}\n"
    "@media(max-width:760px){.cols{grid-template-columns:minmax(0,1fr)}section{padding:13px 12px}"
    "main{padding:18px 10px 40px}}\n"
    "svg{display:block;width:100%;height:auto;overflow:visible}"
    "svg text{font:11px system-ui,sans-serif;fill:var(--mute)}svg .title{font-size:11px}"
    "svg.long{min-width:640px}svg .note{font-size:10px}"
    ".grid{stroke:var(--line);fill:none}.axis{stroke:var(--mute);fill:none}"
    ".level{stroke:var(--mute);stroke-dasharray:4 3;fill:none}"
    ".line{fill:none;stroke-width:2.2;stroke-linejoin:round}\n"
    ".s0{stroke:var(--s0)}.s1{stroke:var(--s1)}.s2{stroke:var(--s2)}.s3{stroke:var(--s3)}"
    ".s4{stroke:var(--s4)}.s5{stroke:var(--s5)}.s6{stroke:var(--s6)}.s7{stroke:var(--s7)}"
    ".f0{fill:var(--s0);background:var(--s0)}.f1{fill:var(--s1);background:var(--s1)}"
    ".f2{fill:var(--s2);background:var(--s2)}.f3{fill:var(--s3);background:var(--s3)}"
    ".f4{fill:var(--s4);background:var(--s4)}.f5{fill:var(--s5);background:var(--s5)}"
    ".f6{fill:var(--s6);background:var(--s6)}.f7{fill:var(--s7);background:var(--s7)}"
    "rect{stroke:var(--card);stroke-width:1}\n"
    ".key{display:flex;flex-wrap:wrap;gap:4px 14px;margin:8px 0 4px;font-size:12.5px}"
    ".key i{display:inline-block;width:10px;height:10px;border-radius:3px;margin-right:5px}\n"
    ".scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:13px}"
    "th,td{text-align:left;padding:4px 10px 4px 0;border-bottom:1px solid var(--line);"
    "vertical-align:top}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;"
    "white-space:nowrap}th{color:var(--mute);font-weight:500}\n"
    ".sliders{display:grid;grid-template-columns:repeat(auto-fit,minmax(190px,1fr));gap:12px;"
    "margin:10px 0}.sliders label{font-size:13px;color:var(--mute)}"
    ".sliders input,.sliders select{width:100%;margin-top:3px;accent-color:var(--s0);font:inherit}"
    "#answer{font-size:22px;font-weight:650}details summary{cursor:pointer;color:var(--mute)}\n";

// The sliders: the formula of dollars_of() in gen/cost/cost.c with the terms that C computed.
const char HW_PAGE_SCRIPT[] =
    "(function(){'use strict';var d=JSON.parse(document.getElementById('data').textContent);"
    "var v=d.economics.volumes,$=function(i){return document.getElementById(i)};"
    "function cost(n,replicas,life){var y=Math.max(n.server_life_years,life);"
    "var nre=(n.nre_usd+n.respin_usd*(y/life-1))/y;"
    "return (n.cards_usd/life+n.server_usd/n.server_life_years+n.power_usd_year+nre/replicas)"
    "/n.mtok_year}\n"
    "function human(x){return x>=100?x.toFixed(0):x>=1?x.toFixed(2):x.toPrecision(3)}"
    "function show(){var n=v[$('node').selectedIndex],r=Math.pow(10,+$('volume').value),"
    "l=+$('life').value,c=cost(n,r,l);"
    "$('volume-is').textContent=Math.round(r).toLocaleString('en');$('life-is').textContent=l;"
    "$('answer').textContent='$'+human(c)+' a million tokens';$('answer').dataset.value=c;"
    "$('answer-note').textContent=n.chips+(n.chips>1?' chips':' chip')+' a replica, '+"
    "Math.round(n.tokens_s_user).toLocaleString('en')+' tokens/s a user, '+"
    "human(n.mtok_year*r/1e6)+' T tokens a year'}\n"
    "for(var i=0;i<v.length;i++){var o=document.createElement('option');"
    "o.textContent=v[i].title;if(v[i].node===d.economics.node)o.selected=true;"
    "$('node').appendChild(o)}"
    "$('volume').value=Math.log10(d.economics.load.replicas);"
    "$('life').value=v[$('node').selectedIndex].life_years;"
    "['node','volume','life'].forEach(function(i){$(i).addEventListener('input',show)});show()})()"
    ";";
