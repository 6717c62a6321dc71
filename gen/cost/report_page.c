// SPDX-License-Identifier: Apache-2.0
// Owns the layout of the report's page. It reads the document and computes no result.
#include <math.h>
#include <string.h>

#include "gen/cost/page.h"
#include "gen/cost/report.h"

static double real(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

static const char *text(const json_t *object, const char *key)
{
    const char *s = json_string_value(json_object_get(object, key));
    return s ? s : "";
}

static double result(const json_t *doc, const char *name, const char *which)
{
    const json_t *economics = json_object_get(doc, "economics");
    return real(json_object_get(json_object_get(economics, "results"), name), which);
}

static const json_t *list(const json_t *doc, const char *name)
{
    return json_object_get(json_object_get(doc, "economics"), name);
}

static void section(FILE *to, bool wide, const char *title, const char *note)
{
    fprintf(to, "<section%s><h2>%s</h2><p>%s</p>\n", wide ? " class=wide" : "", title, note);
}

static void key(FILE *to, int series, const char *name)
{
    fprintf(to, "<span><i class=f%d></i>", series);
    hw_page_text(to, name);
    fputs("</span>", to);
}

// --- tiles

static void tile(FILE *to, const json_t *doc, const char *name, const char *what, const char *unit)
{
    char v[32], low[32], high[32];
    fprintf(to,
            "<div class=tile><span>%s</span><b data-result=\"%s\">%s</b><small>%s%s to "
            "%s</small></div>\n",
            what, name, hw_page_human(v, result(doc, name, "value")), unit,
            hw_page_human(low, result(doc, name, "low")),
            hw_page_human(high, result(doc, name, "high")));
}

static void tiles(FILE *to, const json_t *doc)
{
    fputs("<div class=tiles>", to);
    tile(to, doc, "chips", "chips", "");
    tile(to, doc, "die_mm2", "one die", "mm\302\262, ");
    tile(to, doc, "tokens_s_user", "tokens/s a user", "");
    tile(to, doc, "tokens_s", "tokens/s in all", "");
    tile(to, doc, "watts", "power", "W, ");
    tile(to, doc, "mj_token", "energy a token", "mJ, ");
    tile(to, doc, "yield", "yield", "");
    tile(to, doc, "die_usd", "a good die", "USD, ");
    tile(to, doc, "masks_shared_usd", "masks", "USD, ");
    tile(to, doc, "respin_days", "another model", "days, ");
    tile(to, doc, "nre_usd", "first chip, NRE", "USD, ");
    tile(to, doc, "usd_mtok", "a million tokens", "USD, ");
    fputs("</div>\n", to);
}

// --- floorplan: parts of a die as columns, to scale

static void floorplan(FILE *to, const json_t *doc)
{
    static const struct {
        const char *name, *what;
    } PART[] = {{"rom_mm2", "ROM"},
                {"sram_mm2", "SRAM"},
                {"logic_mm2", "logic"},
                {"overhead_mm2", "pads, clock, wiring, test"}};
    double all = result(doc, "silicon_mm2", "value"), die = result(doc, "die_mm2", "value");
    double side = sqrt(die), x = 0.0, share[4];
    char v[32], w[32];
    section(to, false, "One die, areas to scale",
            "Arrangement is a sketch; areas are the model's.");
    fprintf(to, "<svg viewBox=\"0 0 420 300\" role=img aria-label=\"floorplan\">");
    for (int i = 0; i < 4; i++)
        share[i] = result(doc, PART[i].name, "value") / all;
    // Overhead is the frame; inside, ROM takes the left, SRAM above logic the right.
    double size = 270, inner = size * sqrt(1 - share[3]), off = (size - inner) / 2;
    double inside = 1 - share[3], left = share[0] / inside * inner;
    double right = inner - left, sram = right > 0 ? share[1] / (share[1] + share[2]) * inner : 0;
    fprintf(to, "<rect class=f7 x=\"75\" y=\"4\" width=\"%.1f\" height=\"%.1f\" rx=\"3\"/>", size,
            size);
    x = 75 + off;
    fprintf(to, "<rect class=f0 x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>", x, 4 + off,
            left, inner);
    fprintf(to, "<rect class=f1 x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>", x + left,
            4 + off, right, sram);
    fprintf(to, "<rect class=f2 x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>", x + left,
            4 + off + sram, right, inner - sram);
    fprintf(to,
            "<text x=\"210\" y=\"292\" text-anchor=middle>%s mm a side, %s mm\302\262</text></svg>",
            hw_page_human(v, side), hw_page_human(w, die));
    fputs("<div class=key>", to);
    static const int COLOUR[] = {0, 1, 2, 7};
    for (int i = 0; i < 4; i++) {
        char name[96];
        snprintf(name, sizeof name, "%s %s mm\302\262, %.1f%%", PART[i].what,
                 hw_page_human(v, share[i] * die), 100 * share[i]);
        key(to, COLOUR[i], name);
    }
    fputs("</div></section>\n", to);
}

// --- ROM bits

static void rom_kinds(FILE *to, const json_t *doc)
{
    const json_t *rom = json_object_get(doc, "rom"), *x;
    double all = 0.0, at = 0.0, padding = 0.0;
    size_t i;
    char v[32], p[32];
    json_array_foreach(rom, i, x)
    {
        all += real(x, "bits") + real(x, "padding");
        padding += real(x, "padding");
    }
    section(to, false, "Where each ROM bit goes",
            "By kind of matrix; padding fills words at a matrix's edges.");
    fputs("<svg viewBox=\"0 0 420 34\" role=img aria-label=\"ROM bits by kind\">", to);
    json_array_foreach(rom, i, x)
    {
        double width = 416 * real(x, "bits") / all;
        fprintf(to, "<rect class=f%d x=\"%.2f\" y=\"4\" width=\"%.2f\" height=\"26\"/>",
                (int)(i % 7), 2 + at, width);
        at += width;
    }
    fprintf(to, "<rect class=f7 x=\"%.2f\" y=\"4\" width=\"%.2f\" height=\"26\"/></svg>", 2 + at,
            416 * padding / all);
    fputs("<div class=scroll><table><tr><th>matrix<th class=n>bits<th class=n>share<th "
          "class=n>padding</tr>",
          to);
    json_array_foreach(rom, i, x)
    {
        fprintf(to, "<tr><td><div class=key style=\"margin:0\">");
        key(to, (int)(i % 7), text(x, "name"));
        fprintf(to, "</div><td class=n>%s<td class=n>%.1f%%<td class=n>%s</tr>",
                hw_page_human(v, real(x, "bits")), 100 * real(x, "bits") / all,
                hw_page_human(p, real(x, "padding")));
    }
    fprintf(to, "<tr><td>in all<td class=n>%s<td class=n>100%%<td class=n>%s</tr></table></div>",
            hw_page_human(v, all), hw_page_human(p, padding));
    fputs("</section>\n", to);
}

static void rom_layers(FILE *to, const json_t *doc)
{
    const json_t *layers = json_object_get(doc, "layers"), *x;
    size_t i, n = json_array_size(layers);
    double most = 0.0;
    char v[32];
    if (n == 0)
        return;
    json_array_foreach(layers, i, x) most = fmax(most, real(x, "bits") + real(x, "padding"));
    section(to, false, "ROM bits by layer", "Weights below, padding above.");
    fputs("<svg viewBox=\"0 0 420 150\" role=img aria-label=\"ROM bits by layer\">", to);
    double step = 400.0 / (double)n, gap = step > 6 ? 2 : 0;
    json_array_foreach(layers, i, x)
    {
        double own = 118 * real(x, "bits") / most, pad = 118 * real(x, "padding") / most;
        double left = 10 + step * (double)i;
        fprintf(to, "<rect class=f0 x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\"/>", left,
                124 - own, step - gap, own);
        fprintf(to, "<rect class=f7 x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\"/>", left,
                124 - own - pad, step - gap, pad);
        size_t every = n > 40 ? 10 : n > 16 ? 4 : 1;
        if (i % every == 0)
            fprintf(to, "<text x=\"%.1f\" y=\"140\" text-anchor=middle>%zu</text>", left + step / 2,
                    i);
    }
    fprintf(to, "</svg><p>The largest layer has %s bits.</p></section>\n", hw_page_human(v, most));
}

// --- a token as a timeline

static void token_timeline(FILE *to, const json_t *doc)
{
    const json_t *t = json_object_get(doc, "timeline"), *u, *share;
    size_t i, j;
    char v[32];
    if (!t)
        return;
    const json_t *units = json_object_get(t, "units");
    section(
        to, true, "The clocks of a token, by unit",
        "Height is the share of clocks in which a unit holds something; by the exact cycle model.");
    fputs("<div class=scroll><svg viewBox=\"0 0 840 300\" role=img aria-label=\"timeline\" "
          "class=long>",
          to);
    json_array_foreach(units, i, u)
    {
        const json_t *busy = json_object_get(u, "busy");
        double base = 30 + 34.0 * (double)i, step = 690.0 / (double)json_array_size(busy);
        fprintf(to, "<path class=grid d=\"M100 %.1fH790\"/><path class=f%d d=\"M100 %.1f", base,
                (int)(i % 8), base);
        json_array_foreach(busy, j, share)
            fprintf(to, "V%.1fh%.2f", base - 26 * json_number_value(share), step);
        fprintf(to, "V%.1fZ\"/><text x=\"94\" y=\"%.1f\" text-anchor=end>", base, base - 4);
        hw_page_text(to, text(u, "unit"));
        fprintf(to, "</text><text x=\"796\" y=\"%.1f\">%.0f%%</text>", base - 4,
                100 * real(u, "share"));
    }
    double clocks = real(t, "clocks");
    for (int k = 0; k <= 4; k++)
        fprintf(to, "<text x=\"%.0f\" y=\"292\" text-anchor=middle>%s</text>", 100 + 690 * k / 4.0,
                hw_page_human(v, floor(clocks * k / 4)));
    fprintf(to, "</svg></div><p>%.0f clocks at position %.0f.</p></section>\n", clocks,
            real(t, "position"));
}

// --- speed

enum { MOST = 64 };

static int series(const json_t *points, const char *x_key, const char *y_key, double *x, double *y)
{
    size_t i;
    const json_t *p;
    int n = 0;
    json_array_foreach(points, i, p)
    {
        if (n == MOST)
            break;
        x[n] = real(p, x_key);
        y[n++] = real(p, y_key);
    }
    return n;
}

static double top_of(const double *y, int n)
{
    double most = 0.0;
    for (int i = 0; i < n; i++)
        most = fmax(most, y[i]);
    double power = pow(10.0, floor(log10(most)));
    return ceil(most / power * 2) / 2 * power;
}

static void speed(FILE *to, const json_t *doc)
{
    double x[MOST], y[MOST];
    int n = series(list(doc, "contexts"), "positions", "tokens_s_user", x, y);
    section(to, false, "Tokens/s against the context",
            "One user, at the end of a context of so many positions.");
    struct hw_chart c = {to, x[0], x[n - 1], 0.0, top_of(y, n), true, false};
    hw_chart_open(&c, "positions", "tokens/s a user", "tokens/s against context");
    hw_chart_line(&c, x, y, n, 0);
    hw_chart_close(&c);
    fputs("</section>\n", to);
    n = series(list(doc, "contexts"), "positions", "kv_mm2_user", x, y);
    section(to, false, "Area against the context",
            "SRAM of one user's KV cache, overhead included.");
    c = (struct hw_chart){to, x[0], x[n - 1], y[0], y[n - 1], true, true};
    hw_chart_open(&c, "positions", "mm\302\262 a user", "KV cache area against context");
    hw_chart_line(&c, x, y, n, 1);
    hw_chart_level(&c, 815, "a reticle");
    hw_chart_close(&c);
    fputs("</section>\n", to);
    n = series(list(doc, "users"), "users", "tokens_s", x, y);
    section(to, false, "Tokens/s against users",
            "In all: users fill the pipeline of chips, and their KV caches take chips.");
    double floor_y = pow(10, floor(log10(y[0]))), roof_y = pow(10, floor(log10(y[n - 1])) + 1);
    c = (struct hw_chart){to, 1, x[n - 1], floor_y, roof_y, true, true};
    hw_chart_open(&c, "users", "tokens/s in all", "tokens/s against users");
    hw_chart_line(&c, x, y, n, 2);
    hw_chart_close(&c);
    fputs("</section>\n", to);
}

// --- dollars

static void cost_curves(FILE *to, const json_t *doc)
{
    const json_t *volumes = list(doc, "volumes"), *v, *s;
    double x[MOST], y[MOST], low = INFINITY, high = 0.0;
    size_t i;
    json_array_foreach(volumes, i, v)
    {
        int n = series(json_object_get(v, "points"), "replicas", "usd_mtok", x, y);
        for (int k = 0; k < n; k++) {
            low = fmin(low, y[k]);
            high = fmax(high, y[k]);
        }
    }
    section(to, true, "What a million tokens cost",
            "Against the number of sets of chips built, on each node; dashed: servers that run "
            "this model.");
    struct hw_chart c = {to,   1,   1e6, pow(10, floor(log10(low))), pow(10, ceil(log10(high))),
                         true, true};
    fputs("<div class=cols><div>", to);
    hw_chart_open(&c, "replicas built", "USD a million tokens", "cost against volume");
    json_array_foreach(volumes, i, v)
    {
        int n = series(json_object_get(v, "points"), "replicas", "usd_mtok", x, y);
        hw_chart_line(&c, x, y, n, (int)(i % 8));
    }
    json_array_foreach(list(doc, "servers"), i, s)
    {
        if (json_is_true(json_object_get(s, "same_model")))
            hw_chart_level(&c, real(json_object_get(s, "usd_mtok"), "value"), text(s, "name"));
    }
    hw_chart_close(&c);
    fputs("<div class=key>", to);
    json_array_foreach(volumes, i, v) key(to, (int)(i % 8), text(v, "title"));
    fputs("</div></div><div><div class=sliders>"
          "<label>process<select id=node></select></label>"
          "<label>replicas built: <b id=volume-is></b><input id=volume type=range min=0 max=6 "
          "step=any></label>"
          "<label>life of a model, years: <b id=life-is></b><input id=life type=range min=0.25 "
          "max=5 step=0.25></label>"
          "</div><div id=answer></div><p id=answer-note></p></div></div></section>\n",
          to);
}

static void servers(FILE *to, const json_t *doc)
{
    const json_t *s;
    size_t i;
    char a[32], b[32], c[32], d[32];
    bool any = false;
    json_array_foreach(list(doc, "servers"), i, s) any =
        any || json_is_true(json_object_get(s, "same_model"));
    section(to, false, "Beside servers one can buy",
            "At the same utilisation, power and depreciation; each runs its own model. Break-even: "
            "sets of chips at which a million tokens cost the same.");
    fputs("<div class=scroll><table><tr><th>server<th class=n>USD a million<th class=n>tokens/s a "
          "user<th class=n>break-even</tr>",
          to);
    json_array_foreach(list(doc, "servers"), i, s)
    {
        fputs("<tr><td>", to);
        hw_page_text(to, text(s, "name"));
        fputs("<br><small>", to);
        hw_page_text(to, text(s, "model"));
        const json_t *even = json_object_get(s, "break_even_replicas");
        fprintf(to,
                "</small><td class=n>%s<td class=n>%s<br><small>%s times here</small><td "
                "class=n>%s</tr>",
                hw_page_human(a, real(json_object_get(s, "usd_mtok"), "value")),
                hw_page_human(b, real(s, "tokens_s_user")),
                hw_page_human(d, real(s, "speed_ratio")),
                any && !json_is_true(json_object_get(s, "same_model")) ? "-"
                : json_is_null(even)                                   ? "never"
                                     : hw_page_human(c, json_number_value(even)));
    }
    fputs("</table></div></section>\n", to);
}

static void swings(FILE *to, const json_t *doc)
{
    const json_t *all = list(doc, "sensitivity"), *s;
    double low = INFINITY, high = 0.0;
    size_t i;
    char a[32], b[32];
    json_array_foreach(all, i, s)
    {
        double x = real(s, "usd_mtok_at_low"), y = real(s, "usd_mtok_at_high");
        low = fmin(low, fmin(x, y));
        high = fmax(high, fmax(x, y));
    }
    section(to, false, "Which assumption moves the answer",
            "USD a million tokens with one constant at either end of its range.");
    fprintf(to, "<svg viewBox=\"0 0 420 %d\" role=img aria-label=\"sensitivity\">",
            (int)json_array_size(all) * 34 + 6);
    json_array_foreach(all, i, s)
    {
        double x = real(s, "usd_mtok_at_low"), y = real(s, "usd_mtok_at_high");
        double from = 8 + 404 * log(fmin(x, y) / low) / log(high / low);
        double width = fmax(404 * log(fmax(x, y) / fmin(x, y)) / log(high / low), 1);
        double top = 4 + 34.0 * (double)i;
        fprintf(to, "<text x=\"8\" y=\"%.0f\">", top + 10);
        hw_page_text(to, text(s, "constant"));
        fprintf(to,
                ": %s to %s</text><rect class=f%d x=\"%.1f\" y=\"%.0f\" width=\"%.1f\" "
                "height=\"12\" rx=\"2\"/>",
                hw_page_human(a, real(s, "low")), hw_page_human(b, real(s, "high")), y > x ? 3 : 1,
                from, top + 15, width);
    }
    fprintf(to, "</svg><div class=key>");
    key(to, 3, "dearer as it grows");
    key(to, 1, "cheaper as it grows");
    fprintf(to, "</div><p>From %s to %s USD.</p></section>\n", hw_page_human(a, low),
            hw_page_human(b, high));
}

// --- what was measured

static void names_and_numbers(FILE *to, const char *title, const char *note, const json_t *object)
{
    const char *name;
    json_t *value;
    section(to, false, title, note);
    fputs("<div class=scroll><table>", to);
    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        char v[32];
        if (!json_is_number(value) && !json_is_string(value))
            continue;
        fputs("<tr><td>", to);
        hw_page_text(to, name);
        fputs("<td class=n>", to);
        if (json_is_integer(value))
            fprintf(to, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        else
            hw_page_text(to, json_is_string(value) ? json_string_value(value)
                                                   : hw_page_human(v, json_number_value(value)));
        fputs("</tr>", to);
    }
    fputs("</table></div></section>\n", to);
}

static void measured(FILE *to, const json_t *doc)
{
    const json_t *verified = json_object_get(doc, "verified"),
                 *m = json_object_get(doc, "measured");
    if (verified)
        names_and_numbers(to, "What was verified", "The simulated chip beside the reference.",
                          verified);
    if (m)
        names_and_numbers(to, "What was measured", "Fidelity, timing, placement.", m);
    if (!verified && !m) {
        section(to, true, "What was verified",
                "Nothing was given: --sim takes the summary of "
                "<code>hardwire sim --json</code>, --measured an object of names and numbers.");
        fputs("</section>\n", to);
    }
}

static void constants(FILE *to, const json_t *doc)
{
    const char *name;
    json_t *k;
    char a[32], b[32], c[32];
    section(to, true, "Every constant and its source",
            "A constant is a range; results are 5% to 95% of draws from all of them.");
    fputs("<details><summary>show</summary><div class=scroll><table><tr><th>constant<th "
          "class=n>low<th "
          "class=n>middle<th class=n>high<th>source</tr>",
          to);
    json_object_foreach((json_t *)(uintptr_t)list(doc, "constants"), name, k)
    {
        fprintf(to, "<tr><td>%s<td class=n>%s<td class=n>%s<td class=n>%s<td>", name,
                hw_page_human(a, real(k, "low")), hw_page_human(b, real(k, "value")),
                hw_page_human(c, real(k, "high")));
        hw_page_text(to, text(k, "source"));
        fputs("</tr>", to);
    }
    fputs("</table></div></details></section>\n", to);
}

void hw_report_page(FILE *to, const json_t *doc)
{
    const json_t *economics = json_object_get(doc, "economics");
    const json_t *load = json_object_get(economics, "load");
    char w[32], u[32];
    fputs("<!doctype html><html lang=en><head><meta charset=utf-8><meta name=viewport "
          "content=\"width=device-width,initial-scale=1\"><title>",
          to);
    hw_page_text(to, text(doc, "title"));
    fprintf(to, " as a chip</title><style>%s</style></head><body><main><h1>", HW_PAGE_STYLE);
    hw_page_text(to, text(doc, "title"));
    fputs("</h1><p>as constants of a chip in ", to);
    hw_page_text(to, text(economics, "title"));
    fprintf(to,
            ": %s weights, %.0f \303\227 %.0f lanes, a context of %.0f positions, %s user%s</p>\n",
            hw_page_human(w, real(load, "weights")), real(load, "rows"), real(load, "cols"),
            real(load, "context"), hw_page_human(u, real(load, "users")),
            real(load, "users") > 1 ? "s" : "");
    tiles(to, doc);
    fputs("<div class=cols>\n", to);
    floorplan(to, doc);
    rom_kinds(to, doc);
    token_timeline(to, doc);
    rom_layers(to, doc);
    speed(to, doc);
    cost_curves(to, doc);
    swings(to, doc);
    servers(to, doc);
    measured(to, doc);
    constants(to, doc);
    fputs("</div></main><script type=\"application/json\" id=data>", to);
    hw_page_json(to, doc);
    fprintf(to, "</script><script>%s</script></body></html>\n", HW_PAGE_SCRIPT);
}
