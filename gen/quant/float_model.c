// SPDX-License-Identifier: Apache-2.0
// Owns the float forward pass, in the order of the Llama paper: a token through all layers, or many
// tokens through one layer after the other, by the same functions.
#include "gen/quant/float_model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "refmodel/tables.h"

// Activations of n tokens: of one, behind those of its sequence in every layer's cache; or of whole
// sequences, whose keys and values need to be kept for the layer at hand only.
struct work {
    int n;
    bool together;                        // whole sequences: token i's keys are row i
    int *pos;                             // [n]
    float *x, *xn, *q, *attn, *gate, *up; // [n][width]
    float *sub;         // [n][widest of dim, n_heads * head_dim, hidden_dim] what a matrix reads
    float *key, *value; // [n_layers][positions][kv_dim], together [n][kv_dim]
};

// What rescaling did to a matrix whose rows are read anew each time: first rows, then columns.
struct edit {
    double *row, *col; // w / row[r] * col[c]; NULL: not rescaled
};

struct hw_float {
    struct hw_config c;
    const struct hw_model *model; // rows of matrices are read from it; NULL: all weights in memory
    int positions;                // of a sequence, at most
    float **tensor[HW_N_TENSORS]; // [layer] -> [rows][cols], NULL where read from the model
    struct edit *edit[HW_N_TENSORS]; // [layer], of those
    float *row;                      // [widest] one of those
    struct work one, many;
    float *logits, *score;
    struct hw_evaluation how;
    float *cos, *sin; // [positions][head_dim / 2]
    hw_float_observer *observer;
    void *user;
};

enum { LOGITS_AT_ONCE = 4 << 20 }; // of many tokens

static int layers_of(const struct hw_config *c, enum hw_tensor_id id)
{
    return id <= HW_OUTPUT_NORM ? 1 : c->n_layers;
}

static void *allocate(size_t n, struct hw_error *err)
{
    float *p = calloc(n, sizeof *p);
    if (!p)
        hw_fail(err, "float model: out of memory");
    return p;
}

// --- weights

static bool load(struct hw_float *f, const struct hw_model *model, enum hw_tensor_id id,
                 struct hw_error *err)
{
    int rows, cols, n = layers_of(&f->c, id);
    hw_tensor_shape(&f->c, id, &rows, &cols);
    f->tensor[id] = calloc((size_t)n, sizeof *f->tensor[id]);
    f->edit[id] = calloc((size_t)n, sizeof *f->edit[id]);
    if (!f->tensor[id] || !f->edit[id])
        return hw_fail(err, "float model: out of memory");
    bool matrix = rows > 1 && cols > 1;
    for (int l = 0; l < n && !(f->model && matrix); l++) {
        f->tensor[id][l] = allocate((size_t)rows * (size_t)cols, err);
        for (int r = 0; !err->set && r < rows; r++)
            hw_model_row(model, id, l, r, f->tensor[id][l] + (size_t)r * (size_t)cols);
    }
    return !err->set;
}

const float *hw_float_row(const struct hw_float *f, enum hw_tensor_id id, int layer, int row,
                          float *buf)
{
    int rows, cols;
    hw_tensor_shape(&f->c, id, &rows, &cols);
    if (f->tensor[id][layer])
        return f->tensor[id][layer] + (size_t)row * (size_t)cols;
    const struct edit *e = &f->edit[id][layer];
    hw_model_row(f->model, id, layer, row, buf);
    for (int i = 0; e->row && i < cols; i++)
        buf[i] = (float)(buf[i] / e->row[row]);
    for (int i = 0; e->col && i < cols; i++)
        buf[i] = (float)(buf[i] * e->col[i]);
    return buf;
}

void hw_float_unload(const struct hw_float *f, enum hw_tensor_id id, int layer)
{
    if (!f->tensor[id][layer])
        hw_model_unload(f->model, id, layer);
}

static bool copy_vector(double **vector, const double *t, int n, struct hw_error *err)
{
    if (*vector)
        return hw_fail(err, "float model: expected a matrix to be rescaled once");
    *vector = malloc((size_t)n * sizeof **vector);
    if (!*vector)
        return hw_fail(err, "float model: out of memory");
    memcpy(*vector, t, (size_t)n * sizeof **vector);
    return true;
}

bool hw_float_shrink_rows(struct hw_float *f, enum hw_tensor_id id, int layer, const double *t,
                          struct hw_error *err)
{
    int rows, cols;
    hw_tensor_shape(&f->c, id, &rows, &cols);
    struct edit *e = &f->edit[id][layer];
    float *w = f->tensor[id][layer];
    if (!w && e->col)
        return hw_fail(err, "float model: expected rows to be rescaled before columns");
    if (!w)
        return copy_vector(&e->row, t, rows, err);
    for (int r = 0; r < rows; r++) {
        for (int i = 0; i < cols; i++, w++)
            *w = (float)(*w / t[r]);
    }
    return true;
}

bool hw_float_scale_columns(struct hw_float *f, enum hw_tensor_id id, int layer, const double *t,
                            struct hw_error *err)
{
    int rows, cols;
    hw_tensor_shape(&f->c, id, &rows, &cols);
    float *w = f->tensor[id][layer];
    if (!w)
        return copy_vector(&f->edit[id][layer].col, t, cols, err);
    for (int r = 0; r < rows; r++) {
        for (int i = 0; i < cols; i++, w++)
            *w = (float)(*w * t[i]);
    }
    return true;
}

// --- the whole

static void make_angles(struct hw_float *f)
{
    int half = f->c.head_dim / 2;
    for (int i = 0; i < half; i++) {
        double theta = hw_rope_theta(&f->c, i);
        for (int p = 0; p < f->positions; p++) {
            f->cos[p * half + i] = (float)hw_cos(p * theta);
            f->sin[p * half + i] = (float)hw_sin(p * theta);
        }
    }
}

static size_t widest(const struct hw_config *c)
{
    int q_dim = c->n_heads * c->head_dim, most = c->dim > c->hidden_dim ? c->dim : c->hidden_dim;
    return (size_t)(most > q_dim ? most : q_dim);
}

static bool work_new(struct work *w, const struct hw_config *c, int n, size_t kv_rows,
                     struct hw_error *err)
{
    size_t kv_dim = (size_t)c->n_kv_heads * (size_t)c->head_dim, dim = (size_t)c->dim;
    size_t q_dim = (size_t)c->n_heads * (size_t)c->head_dim, hidden = (size_t)c->hidden_dim;
    size_t k = (size_t)n;
    *w = (struct work){.n = n};
    w->pos = allocate(k, err);
    w->key = allocate(kv_rows * kv_dim, err);
    w->value = allocate(kv_rows * kv_dim, err);
    w->x = allocate(k * dim, err);
    w->xn = allocate(k * dim, err);
    w->q = allocate(k * q_dim, err);
    w->attn = allocate(k * q_dim, err);
    w->gate = allocate(k * hidden, err);
    w->up = allocate(k * hidden, err);
    w->sub = allocate(k * widest(c), err);
    return !err->set;
}

static void work_free(struct work *w)
{
    float *part[] = {w->x, w->xn, w->q, w->attn, w->gate, w->up, w->sub, w->key, w->value};
    for (size_t i = 0; i < sizeof part / sizeof part[0]; i++)
        free(part[i]);
    free(w->pos);
    *w = (struct work){0};
}

static struct hw_float *float_new(const struct hw_model *model, int positions, bool streamed,
                                  struct hw_error *err)
{
    struct hw_float *f = calloc(1, sizeof *f);
    if (!f) {
        hw_fail(err, "float model: out of memory");
        return NULL;
    }
    f->c = *hw_model_config(model);
    f->how = hw_model_evaluation(model);
    f->model = streamed ? model : NULL;
    f->positions = positions < f->c.seq_len ? positions : f->c.seq_len;
    const struct hw_config *c = &f->c;
    size_t seq = (size_t)f->positions;
    for (int id = 0; id < HW_N_TENSORS && !err->set; id++) {
        if (hw_tensor_exists(c, (enum hw_tensor_id)id))
            load(f, model, (enum hw_tensor_id)id, err);
    }
    work_new(&f->one, c, 1, (size_t)c->n_layers * seq, err);
    f->row = allocate(widest(c), err);
    f->logits = allocate((size_t)c->vocab_size, err);
    f->score = allocate(seq, err);
    f->cos = allocate(seq * (size_t)c->head_dim / 2, err);
    f->sin = allocate(seq * (size_t)c->head_dim / 2, err);
    if (err->set) {
        hw_float_free(f);
        return NULL;
    }
    make_angles(f);
    return f;
}

struct hw_float *hw_float_new(const struct hw_model *model, struct hw_error *err)
{
    return float_new(model, hw_model_config(model)->seq_len, false, err);
}

struct hw_float *hw_float_stream(const struct hw_model *model, int positions, struct hw_error *err)
{
    return float_new(model, positions, true, err);
}

void hw_float_free(struct hw_float *f)
{
    if (!f)
        return;
    for (int id = 0; id < HW_N_TENSORS; id++) {
        for (int l = 0; l < layers_of(&f->c, (enum hw_tensor_id)id); l++) {
            if (f->tensor[id])
                free(f->tensor[id][l]);
            if (f->edit[id]) {
                free(f->edit[id][l].row);
                free(f->edit[id][l].col);
            }
        }
        free(f->tensor[id]);
        free(f->edit[id]);
    }
    work_free(&f->one);
    work_free(&f->many);
    float *part[] = {f->logits, f->score, f->cos, f->sin, f->row};
    for (size_t i = 0; i < sizeof part / sizeof part[0]; i++)
        free(part[i]);
    free(f);
}

void hw_float_observe(struct hw_float *f, hw_float_observer *fn, void *user)
{
    f->observer = fn;
    f->user = user;
}

const float *hw_float_tensor(const struct hw_float *f, enum hw_tensor_id id, int layer)
{
    return f->tensor[id][layer];
}

float *hw_float_edit(struct hw_float *f, enum hw_tensor_id id, int layer)
{
    return f->tensor[id][layer];
}

// Each token's vector v[n] in turn.
static void see(const struct hw_float *f, const struct work *w, enum hw_float_tap tap, int layer,
                const float *v, int n)
{
    for (int i = 0; f->observer && i < w->n; i++)
        f->observer(f->user, tap, layer, v + (size_t)i * (size_t)n, n);
}

// Eight sums side by side, added at the end: fast, and one order on every machine.
static float dot(const float *a, const float *b, int n)
{
    float lane[8] = {0};
    int i = 0;
    for (; i + 8 <= n; i += 8) {
        for (int k = 0; k < 8; k++)
            lane[k] += a[i + k] * b[i + k];
    }
    for (; i < n; i++)
        lane[i & 7] += a[i] * b[i];
    return ((lane[0] + lane[4]) + (lane[1] + lane[5])) +
           ((lane[2] + lane[6]) + (lane[3] + lane[7]));
}

// y[i][r] = w[r] . x[i] for n tokens i
static void linear(const struct hw_float *f, enum hw_tensor_id id, int layer, const float *x,
                   float *y, int n)
{
    int rows, cols;
    hw_tensor_shape(&f->c, id, &rows, &cols);
    for (int r = 0; r < rows; r++) {
        const float *w = hw_float_row(f, id, layer, r, f->row);
        for (int i = 0; i < n; i++)
            y[(size_t)i * (size_t)rows + (size_t)r] = dot(w, x + (size_t)i * (size_t)cols, cols);
    }
    hw_float_unload(f, id, layer);
}

// y = x / sqrt(mean square + eps) * gain, x[n] for each token; zeros stay zeros. y may be x.
static void rmsnorm(const struct work *w, const float *x, int n, const float *gain, double eps,
                    float *y)
{
    for (int t = 0; t < w->n; t++, x += n, y += n) {
        double mean = (double)dot(x, x, n) / n + eps;
        double scale = mean > 0.0 ? 1.0 / sqrt(mean) : 0.0;
        for (int i = 0; i < n; i++)
            y[i] = (float)(x[i] * scale) * gain[i];
    }
}

// y[n] += bias, for each token, where the layer has that bias.
static void add_bias(const struct hw_float *f, const struct work *w, enum hw_tensor_id id, int l,
                     float *y, int n)
{
    if (!hw_tensor_exists(&f->c, id))
        return;
    const float *bias = f->tensor[id][l];
    for (int t = 0; t < w->n; t++, y += n) {
        for (int i = 0; i < n; i++)
            y[i] += bias[i];
    }
}

// Norms over the heads of v[n], for each token, where the model has them.
static void norm_heads(const struct hw_float *f, const struct work *w, enum hw_float_tap rows,
                       enum hw_tensor_id gain, int l, float *v, int n)
{
    if (!hw_tensor_exists(&f->c, gain))
        return;
    see(f, w, rows, l, v, n);
    struct work heads = {.n = w->n * (n / f->c.head_dim)};
    rmsnorm(&heads, v, f->c.head_dim, f->tensor[gain][l], f->how.layer_eps, v);
}

// What a layer's matrices read: x itself, or rounded to 8 bits against its largest magnitude.
static const float *matrix_input(const struct hw_float *f, const struct work *w, const float *x,
                                 int n)
{
    float *y = w->sub;
    if (!f->how.int8_act)
        return x;
    for (int t = 0; t < w->n; t++, x += n, y += n) {
        float top = 0.0f;
        for (int i = 0; i < n; i++)
            top = fabsf(x[i]) > top ? fabsf(x[i]) : top;
        for (int i = 0; i < n; i++)
            y[i] = top > 0.0f ? (float)floor(x[i] * 127.0 / top + 0.5) * (top / 127.0f) : 0.0f;
    }
    return w->sub;
}

static void rotate(const struct hw_float *f, const struct work *w, float *v, int n)
{
    int half = f->c.head_dim / 2;
    for (int t = 0; t < w->n; t++, v += n) {
        const float *cos = f->cos + w->pos[t] * half, *sin = f->sin + w->pos[t] * half;
        for (int i = 0; i < n; i += 2) {
            float c = cos[i / 2 % half], s = sin[i / 2 % half];
            float a = v[i], b = v[i + 1];
            v[i] = a * c - b * s;
            v[i + 1] = a * s + b * c;
        }
    }
}

// score[0..n-1] becomes its softmax
static void softmax(float *score, int n)
{
    float max = score[0], sum = 0.0f;
    for (int i = 1; i < n; i++)
        max = score[i] > max ? score[i] : max;
    for (int i = 0; i < n; i++) {
        score[i] = (float)hw_exp(score[i] - max);
        sum += score[i];
    }
    for (int i = 0; i < n; i++)
        score[i] /= sum;
}

// Row of the first token's keys and values in layer l.
static size_t cache_row(const struct hw_float *f, const struct work *w, int l)
{
    return w->together ? 0 : (size_t)l * (size_t)f->positions + (size_t)w->pos[0];
}

// Token i's head over its sequence up to itself, or over the window of its layer.
static void attend(struct hw_float *f, const struct work *w, int l, int i, int head)
{
    int hd = f->c.head_dim, pos = w->pos[i], group = f->c.n_heads / f->c.n_kv_heads;
    size_t kv_dim = (size_t)f->c.n_kv_heads * (size_t)hd;
    size_t q_dim = (size_t)f->c.n_heads * (size_t)hd;
    size_t base = (cache_row(f, w, l) + (size_t)i - (size_t)pos) * kv_dim +
                  (size_t)(head / group) * (size_t)hd;
    size_t at = (size_t)i * q_dim + (size_t)head * (size_t)hd;
    float *out = w->attn + at, scale = (float)(1.0 / sqrt(hd));
    int kept = hw_positions_kept(&f->c, l), first = pos < kept ? 0 : pos + 1 - kept;
    for (int p = first; p <= pos; p++)
        f->score[p] = dot(w->q + at, w->key + base + (size_t)p * kv_dim, hd) * scale;
    softmax(f->score + first, pos + 1 - first);
    memset(out, 0, (size_t)hd * sizeof *out);
    for (int p = first; p <= pos; p++) {
        const float *v = w->value + base + (size_t)p * kv_dim;
        for (int d = 0; d < hd; d++)
            out[d] += f->score[p] * v[d];
    }
}

// x += xn
static void add(const struct hw_float *f, const struct work *w, int l)
{
    for (size_t i = 0; i < (size_t)w->n * (size_t)f->c.dim; i++)
        w->x[i] += w->xn[i];
    see(f, w, HW_FLOAT_RESIDUAL, l, w->x, f->c.dim);
}

static void attention(struct hw_float *f, const struct work *w, int l)
{
    const struct hw_config *c = &f->c;
    int kv_dim = c->n_kv_heads * c->head_dim, q_dim = c->n_heads * c->head_dim;
    size_t here = cache_row(f, w, l) * (size_t)kv_dim;
    rmsnorm(w, w->x, c->dim, f->tensor[HW_ATTN_NORM][l], f->how.layer_eps, w->xn);
    see(f, w, HW_FLOAT_ATTN_NORM, l, w->xn, c->dim);
    const float *in = matrix_input(f, w, w->xn, c->dim);
    linear(f, HW_WK, l, in, w->key + here, w->n);
    add_bias(f, w, HW_BK, l, w->key + here, kv_dim);
    norm_heads(f, w, HW_FLOAT_K_ROW, HW_K_NORM, l, w->key + here, kv_dim);
    rotate(f, w, w->key + here, kv_dim);
    see(f, w, HW_FLOAT_K, l, w->key + here, kv_dim);
    linear(f, HW_WQ, l, in, w->q, w->n);
    add_bias(f, w, HW_BQ, l, w->q, q_dim);
    norm_heads(f, w, HW_FLOAT_Q_ROW, HW_Q_NORM, l, w->q, q_dim);
    rotate(f, w, w->q, q_dim);
    see(f, w, HW_FLOAT_Q, l, w->q, q_dim);
    linear(f, HW_WV, l, in, w->value + here, w->n);
    add_bias(f, w, HW_BV, l, w->value + here, kv_dim);
    see(f, w, HW_FLOAT_V, l, w->value + here, kv_dim);
    for (int i = 0; i < w->n; i++) {
        for (int h = 0; h < c->n_heads; h++)
            attend(f, w, l, i, h);
    }
    if (c->sub_norm) {
        see(f, w, HW_FLOAT_ATTN_SIDE, l, w->attn, q_dim);
        rmsnorm(w, w->attn, q_dim, f->tensor[HW_ATTN_SUB_NORM][l], f->how.layer_eps, w->attn);
    }
    see(f, w, HW_FLOAT_ATTN, l, w->attn, q_dim);
    linear(f, HW_WO, l, matrix_input(f, w, w->attn, q_dim), w->xn, w->n);
    add(f, w, l);
}

static void feed_forward(struct hw_float *f, const struct work *w, int l)
{
    const struct hw_config *c = &f->c;
    rmsnorm(w, w->x, c->dim, f->tensor[HW_FFN_NORM][l], f->how.layer_eps, w->xn);
    see(f, w, HW_FLOAT_FFN_NORM, l, w->xn, c->dim);
    const float *in = matrix_input(f, w, w->xn, c->dim);
    linear(f, HW_W_GATE, l, in, w->gate, w->n);
    linear(f, HW_W_UP, l, in, w->up, w->n);
    see(f, w, HW_FLOAT_GATE, l, w->gate, c->hidden_dim);
    see(f, w, HW_FLOAT_UP, l, w->up, c->hidden_dim);
    for (size_t i = 0; i < (size_t)w->n * (size_t)c->hidden_dim; i++)
        w->gate[i] *= (float)(1.0 / (1.0 + hw_exp(-(double)w->gate[i]))) * w->up[i];
    if (c->sub_norm) {
        see(f, w, HW_FLOAT_HIDDEN_SIDE, l, w->gate, c->hidden_dim);
        rmsnorm(w, w->gate, c->hidden_dim, f->tensor[HW_FFN_SUB_NORM][l], f->how.layer_eps,
                w->gate);
    }
    see(f, w, HW_FLOAT_HIDDEN, l, w->gate, c->hidden_dim);
    linear(f, HW_W_DOWN, l, matrix_input(f, w, w->gate, c->hidden_dim), w->xn, w->n);
    add(f, w, l);
}

static void embed(const struct hw_float *f, const struct work *w, const int *tokens)
{
    size_t dim = (size_t)f->c.dim;
    for (int i = 0; i < w->n; i++)
        memcpy(w->x + (size_t)i * dim, hw_float_row(f, HW_TOK_EMBED, 0, tokens[i], f->row),
               dim * sizeof *w->x);
    see(f, w, HW_FLOAT_RESIDUAL, 0, w->x, f->c.dim);
}

static enum hw_tensor_id classifier(const struct hw_float *f)
{
    return f->c.tied ? HW_TOK_EMBED : HW_OUTPUT;
}

const float *hw_float_forward(struct hw_float *f, int token, int pos)
{
    const struct hw_config *c = &f->c;
    const struct work *w = &f->one;
    w->pos[0] = pos;
    embed(f, w, &token);
    for (int l = 0; l < c->n_layers; l++) {
        attention(f, w, l);
        feed_forward(f, w, l);
    }
    rmsnorm(w, w->x, c->dim, f->tensor[HW_OUTPUT_NORM][0], c->norm_eps, w->xn);
    see(f, w, HW_FLOAT_FINAL_NORM, 0, w->xn, c->dim);
    linear(f, classifier(f), 0, w->xn, f->logits, 1);
    see(f, w, HW_FLOAT_LOGITS, 0, f->logits, c->vocab_size);
    return f->logits;
}

// --- many tokens, layer by layer

bool hw_float_begin(struct hw_float *f, const int *tokens, int n, struct hw_error *err)
{
    work_free(&f->many);
    if (!work_new(&f->many, &f->c, n, (size_t)n, err))
        return false;
    f->many.together = true;
    for (int i = 0, pos = 0; i < n; i++, pos++) {
        if (pos == f->positions || tokens[i] == f->c.bos)
            pos = 0;
        f->many.pos[i] = pos;
    }
    embed(f, &f->many, tokens);
    return true;
}

void hw_float_layer(struct hw_float *f, int layer)
{
    attention(f, &f->many, layer);
    feed_forward(f, &f->many, layer);
}

bool hw_float_end(struct hw_float *f, bool logits, struct hw_error *err)
{
    const struct hw_config *c = &f->c;
    struct work *w = &f->many, some = *w;
    int n = w->n, at_once = LOGITS_AT_ONCE / c->vocab_size;
    at_once = at_once < 1 ? 1 : at_once < n ? at_once : n;
    rmsnorm(w, w->x, c->dim, f->tensor[HW_OUTPUT_NORM][0], c->norm_eps, w->xn);
    see(f, w, HW_FLOAT_FINAL_NORM, 0, w->xn, c->dim);
    float *all = logits ? allocate((size_t)at_once * (size_t)c->vocab_size, err) : NULL;
    for (int i = 0; all && i < n; i += some.n) {
        some.n = n - i < at_once ? n - i : at_once;
        linear(f, classifier(f), 0, w->xn + (size_t)i * (size_t)c->dim, all, some.n);
        see(f, &some, HW_FLOAT_LOGITS, 0, all, c->vocab_size);
    }
    free(all);
    work_free(w);
    return !err->set;
}
