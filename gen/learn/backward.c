// SPDX-License-Identifier: Apache-2.0
// Owns the gradient of the float model, of every family but those with norms before wo and down:
// every operator forwards over a window of tokens, then backwards in
// the opposite order. Activations are [n][width], one row a position.
#include "gen/learn/backward.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gen/learn/simd.h"
#include "refmodel/tables.h"

// What the backward pass of one layer needs of its forward pass.
struct layer {
    float *x;        // [n][dim] residual on entry
    float *inv, *xn; // [n] 1 / rms, [n][dim] normed
    // [n][width] of queries, keys, values: what attention reads; where there are norms over heads,
    // also what they read, and [n][heads] 1 / rms
    float *made[HW_N_PROJECTIONS], *row[HW_N_PROJECTIONS], *row_inv[HW_N_PROJECTIONS];
    float *weight; // [n_heads][n][n] softmax of the scores
    float *attn;   // [n][q_dim]
    float *mid;    // [n][dim] residual between attention and FFN
    float *mid_inv, *mid_n;
    float *gate, *up, *hidden; // [n][hidden_dim]
};

struct hw_window {
    struct hw_config c;
    int length, n;
    const int *tokens;
    struct layer *layers;
    float *x, *inv, *xn, *logits;          // after the last layer
    float *dx, *dxn;                       // [n][dim]
    float *dmade[HW_N_PROJECTIONS], *drow; // by queries, keys, values; by what a head's norm reads
    float *dattn;
    float *dgate, *dup, *dhidden;
    float *score;      // [n][n]
    float *transposed; // a matrix on its side
    float *cos, *sin;  // [length][head_dim / 2]
    float *block;      // all of the above
};

// --- parameters

size_t hw_params_size(const struct hw_config *c, enum hw_tensor_id id)
{
    int rows, cols;
    hw_tensor_shape(c, id, &rows, &cols);
    return hw_tensor_exists(c, id) ? (size_t)rows * (size_t)cols : 0;
}

int hw_params_layers(const struct hw_config *c, enum hw_tensor_id id)
{
    return id <= HW_OUTPUT_NORM ? 1 : c->n_layers;
}

double hw_params_bytes(const struct hw_config *c)
{
    double n = 0.0;
    for (int id = 0; id < HW_N_TENSORS; id++)
        n += (double)hw_params_size(c, (enum hw_tensor_id)id) *
             hw_params_layers(c, (enum hw_tensor_id)id);
    return n * sizeof(float);
}

bool hw_params_new(struct hw_params *p, const struct hw_config *c, struct hw_error *err)
{
    memset(p, 0, sizeof *p);
    for (int id = 0; id < HW_N_TENSORS; id++) {
        size_t n = hw_params_size(c, (enum hw_tensor_id)id) *
                   (size_t)hw_params_layers(c, (enum hw_tensor_id)id);
        if (n && !(p->tensor[id] = calloc(n, sizeof(float)))) {
            hw_params_free(p);
            return hw_fail(err, "tuning: out of memory");
        }
    }
    return true;
}

void hw_params_free(struct hw_params *p)
{
    for (int id = 0; id < HW_N_TENSORS; id++)
        free(p->tensor[id]);
    memset(p, 0, sizeof *p);
}

static size_t all_layers(const struct hw_config *c, enum hw_tensor_id id)
{
    return hw_params_size(c, id) * (size_t)hw_params_layers(c, id);
}

void hw_params_clear(struct hw_params *p, const struct hw_config *c)
{
    for (int id = 0; id < HW_N_TENSORS; id++) {
        if (p->tensor[id])
            memset(p->tensor[id], 0, all_layers(c, (enum hw_tensor_id)id) * sizeof(float));
    }
}

void hw_params_add(struct hw_params *sum, const struct hw_params *p, const struct hw_config *c)
{
    for (int id = 0; id < HW_N_TENSORS; id++) {
        size_t n = p->tensor[id] ? all_layers(c, (enum hw_tensor_id)id) : 0;
        for (size_t i = 0; i < n; i++)
            sum->tensor[id][i] += p->tensor[id][i];
    }
}

float *hw_params_at(const struct hw_params *p, const struct hw_config *c, enum hw_tensor_id id,
                    int layer)
{
    return p->tensor[id] + hw_params_size(c, id) * (size_t)layer;
}

// --- memory

static size_t largest_matrix(const struct hw_config *c, size_t n)
{
    size_t most = n * (size_t)c->head_dim;
    for (int id = 0; id < HW_N_TENSORS; id++) {
        size_t size = hw_params_size(c, (enum hw_tensor_id)id);
        most = size > most ? size : most;
    }
    return most;
}

// Rows of projection i of a layer.
static int width_of(const struct hw_config *c, int i)
{
    int rows, cols;
    hw_tensor_shape(c, hw_projection[i].matrix, &rows, &cols);
    return rows;
}

// How many heads of projection i pass a norm; queries have as many as any.
static size_t normed_heads(const struct hw_config *c, int i)
{
    return hw_tensor_exists(c, hw_projection[i].norm) ? (size_t)(width_of(c, i) / c->head_dim) : 0;
}

// Takes n floats from the block, or only counts them where there is none yet.
struct arena {
    float *block;
    size_t used;
};

static float *take(struct arena *v, size_t n)
{
    float *at = v->block ? v->block + v->used : NULL;
    v->used += (n + 3) / 4 * 4;
    return at;
}

static size_t lay_out(struct hw_window *w, const struct hw_config *c, size_t n, float *block)
{
    struct arena v = {block, 0};
    size_t dim = (size_t)c->dim, hidden = (size_t)c->hidden_dim, heads = (size_t)c->n_heads;
    size_t q_dim = heads * (size_t)c->head_dim;
    for (int l = 0; l < c->n_layers; l++) {
        struct layer y = {.x = take(&v, n * dim),
                          .inv = take(&v, n),
                          .xn = take(&v, n * dim),
                          .weight = take(&v, heads * n * n),
                          .attn = take(&v, n * q_dim),
                          .mid = take(&v, n * dim),
                          .mid_inv = take(&v, n),
                          .mid_n = take(&v, n * dim),
                          .gate = take(&v, n * hidden),
                          .up = take(&v, n * hidden),
                          .hidden = take(&v, n * hidden)};
        for (int i = 0; i < HW_N_PROJECTIONS; i++) {
            size_t width = (size_t)width_of(c, i), normed = normed_heads(c, i);
            y.made[i] = take(&v, n * width);
            y.row[i] = take(&v, n * normed * (size_t)c->head_dim);
            y.row_inv[i] = take(&v, n * normed);
        }
        if (block)
            w->layers[l] = y;
    }
    size_t half = (size_t)c->head_dim / 2, vocab = (size_t)c->vocab_size;
    struct hw_window y = {.x = take(&v, n * dim),
                          .inv = take(&v, n),
                          .xn = take(&v, n * dim),
                          .logits = take(&v, n * vocab),
                          .dx = take(&v, n * dim),
                          .dxn = take(&v, n * dim),
                          .drow = take(&v, n * normed_heads(c, 0) * (size_t)c->head_dim),
                          .dattn = take(&v, n * q_dim),
                          .dgate = take(&v, n * hidden),
                          .dup = take(&v, n * hidden),
                          .dhidden = take(&v, n * hidden),
                          .score = take(&v, n * n),
                          .transposed = take(&v, largest_matrix(c, n)),
                          .cos = take(&v, n * half),
                          .sin = take(&v, n * half)};
    for (int i = 0; i < HW_N_PROJECTIONS; i++)
        y.dmade[i] = take(&v, n * (size_t)width_of(c, i));
    if (block) {
        y.c = *c;
        y.layers = w->layers;
        y.block = block;
        y.length = (int)n;
        *w = y;
    }
    return v.used;
}

double hw_window_bytes(const struct hw_config *c, int length)
{
    return (double)lay_out(NULL, c, (size_t)length, NULL) * sizeof(float);
}

struct hw_window *hw_window_new(const struct hw_config *c, int length, struct hw_error *err)
{
    struct hw_window *w = calloc(1, sizeof *w);
    float *block = calloc(lay_out(NULL, c, (size_t)length, NULL), sizeof *block);
    struct layer *layers = calloc((size_t)c->n_layers, sizeof *layers);
    if (!w || !block || !layers) {
        free(block);
        free(layers);
        free(w);
        hw_fail(err, "tuning: out of memory");
        return NULL;
    }
    w->layers = layers;
    lay_out(w, c, (size_t)length, block);
    int half = c->head_dim / 2;
    for (int i = 0; i < half; i++) {
        double theta = hw_rope_theta(c, i);
        for (int p = 0; p < length; p++) {
            w->cos[p * half + i] = (float)hw_cos(p * theta);
            w->sin[p * half + i] = (float)hw_sin(p * theta);
        }
    }
    return w;
}

void hw_window_free(struct hw_window *w)
{
    if (!w)
        return;
    free(w->layers);
    free(w->block);
    free(w);
}

// --- products

// y[n][rows] = x[n][cols] times the matrix's transpose
static void linear(struct hw_window *w, const float *matrix, int rows, int cols, const float *x,
                   float *y)
{
    hw_transpose(matrix, rows, cols, (size_t)cols, w->transposed);
    memset(y, 0, (size_t)w->n * (size_t)rows * sizeof *y);
    hw_multiply(w->n, rows, cols, (struct hw_view){x, (size_t)cols, 1}, w->transposed, (size_t)rows,
                y, (size_t)rows);
}

// dx += dy matrix; d_matrix += dy' x
static void linear_back(const struct hw_window *w, const float *matrix, int rows, int cols,
                        const float *x, const float *dy, float *dx, float *d_matrix)
{
    hw_multiply(w->n, cols, rows, (struct hw_view){dy, (size_t)rows, 1}, matrix, (size_t)cols, dx,
                (size_t)cols);
    hw_multiply(rows, cols, w->n, (struct hw_view){dy, 1, (size_t)rows}, x, (size_t)cols, d_matrix,
                (size_t)cols);
}

// --- norm, rotation

// y = x inv gain for `rows` rows of x[rows][width]
static void rmsnorm(const struct hw_window *w, const float *x, int rows, int width,
                    const float *gain, float *inv, float *y)
{
    for (int t = 0; t < rows; t++, x += width, y += width) {
        double sum = 0.0;
        for (int i = 0; i < width; i++)
            sum += (double)x[i] * x[i];
        inv[t] = (float)(1.0 / sqrt(sum / width + w->c.norm_eps));
        for (int i = 0; i < width; i++)
            y[i] = x[i] * inv[t] * gain[i];
    }
}

// dx += inv (dy g - x inv^2 mean(dy g x)); d_gain += dy x inv
static void rmsnorm_back(const float *x, int rows, int width, const float *gain, const float *inv,
                         const float *dy, float *dx, float *d_gain)
{
    for (int t = 0; t < rows; t++, x += width, dy += width, dx += width) {
        double sum = 0.0;
        for (int i = 0; i < width; i++)
            sum += (double)dy[i] * gain[i] * x[i];
        float share = (float)(sum / width) * inv[t] * inv[t];
        for (int i = 0; i < width; i++) {
            d_gain[i] += dy[i] * x[i] * inv[t];
            dx[i] += inv[t] * (dy[i] * gain[i] - x[i] * share);
        }
    }
}

// Every pair of v[n][width] by its position's angle; sign -1 rotates back.
static void rotate(const struct hw_window *w, float *v, int width, float sign)
{
    int half = w->c.head_dim / 2;
    for (int t = 0; t < w->n; t++, v += width) {
        for (int i = 0; i < width; i += 2) {
            float c = w->cos[t * half + i / 2 % half], s = sign * w->sin[t * half + i / 2 % half];
            float a = v[i], b = v[i + 1];
            v[i] = a * c - b * s;
            v[i + 1] = a * s + b * c;
        }
    }
}

// --- attention

enum { Q, K, V };   // of hw_projection
enum { ROWS = 32 }; // positions treated together: what lies beyond the last of them is skipped

// Every row t of s[n][n]: the `kept` entries up to t become their softmax, the others 0.
static void softmax_rows(const struct hw_window *w, float *s, int kept, float scale)
{
    int n = w->n;
    for (int t = 0; t < n; t++, s += n) {
        int first = t < kept ? 0 : t + 1 - kept, seen = t + 1 - first;
        float *v = s + first;
        float inv = 1.0f / hw_exp_row(v, seen, hw_row_max(v, seen), scale);
        for (int i = 0; i < seen; i++)
            v[i] *= inv;
        memset(s, 0, (size_t)first * sizeof *s);
        memset(s + t + 1, 0, (size_t)(n - t - 1) * sizeof *s);
    }
}

// s[t][i] = a[t] . b[i] for i <= t, where a and b are one head of rows that lie *_row apart
static void scores(struct hw_window *w, const float *a, size_t a_row, const float *b, size_t b_row,
                   float *s)
{
    int n = w->n, hd = w->c.head_dim;
    hw_transpose(b, n, hd, b_row, w->transposed);
    memset(s, 0, (size_t)n * (size_t)n * sizeof *s);
    for (int t = 0; t < n; t += ROWS) {
        int m = n - t < ROWS ? n - t : ROWS;
        hw_multiply(m, t + m, hd, (struct hw_view){a + (size_t)t * a_row, a_row, 1}, w->transposed,
                    (size_t)n, s + (size_t)t * (size_t)n, (size_t)n);
    }
}

// y[t] += sum over i <= t of s[t][i] b[i]
static void weigh(const struct hw_window *w, const float *s, const float *b, size_t b_row, float *y,
                  size_t y_row)
{
    size_t n = (size_t)w->n;
    for (int t = 0; t < w->n; t += ROWS) {
        int m = w->n - t < ROWS ? w->n - t : ROWS;
        hw_multiply(m, w->c.head_dim, t + m, (struct hw_view){s + (size_t)t * n, n, 1}, b, b_row,
                    y + (size_t)t * y_row, y_row);
    }
}

// y[i] += sum over t >= i of s[t][i] b[t]
static void weigh_back(const struct hw_window *w, const float *s, const float *b, size_t b_row,
                       float *y, size_t y_row)
{
    size_t n = (size_t)w->n;
    for (int i = 0; i < w->n; i += ROWS) {
        int m = w->n - i < ROWS ? w->n - i : ROWS;
        size_t at = (size_t)i;
        hw_multiply(m, w->c.head_dim, w->n - i, (struct hw_view){s + at * n + at, 1, n},
                    b + at * b_row, b_row, y + at * y_row, y_row);
    }
}

static void attend(struct hw_window *w, struct layer *y, int l)
{
    int hd = w->c.head_dim, group = w->c.n_heads / w->c.n_kv_heads;
    size_t n = (size_t)w->n, q_dim = (size_t)(w->c.n_heads * hd);
    size_t kv_dim = (size_t)(w->c.n_kv_heads * hd);
    memset(y->attn, 0, n * q_dim * sizeof *y->attn);
    for (int h = 0; h < w->c.n_heads; h++) {
        float *s = y->weight + (size_t)h * n * n;
        size_t at = (size_t)(h * hd), kv = (size_t)(h / group * hd);
        scores(w, y->made[Q] + at, q_dim, y->made[K] + kv, kv_dim, s);
        softmax_rows(w, s, hw_positions_kept(&w->c, l), (float)(1.0 / sqrt(hd)));
        weigh(w, s, y->made[V] + kv, kv_dim, y->attn + at, q_dim);
    }
}

// From dattn to dmade.
static void attend_back(struct hw_window *w, const struct layer *y)
{
    int hd = w->c.head_dim, group = w->c.n_heads / w->c.n_kv_heads;
    size_t n = (size_t)w->n, q_dim = (size_t)(w->c.n_heads * hd);
    size_t kv_dim = (size_t)(w->c.n_kv_heads * hd);
    float scale = (float)(1.0 / sqrt(hd));
    for (int i = 0; i < HW_N_PROJECTIONS; i++)
        memset(w->dmade[i], 0, n * (size_t)width_of(&w->c, i) * sizeof *w->dmade[i]);
    for (int h = 0; h < w->c.n_heads; h++) {
        const float *s = y->weight + (size_t)h * n * n;
        size_t at = (size_t)(h * hd), kv = (size_t)(h / group * hd);
        scores(w, w->dattn + at, q_dim, y->made[V] + kv, kv_dim, w->score);
        for (size_t t = 0; t < n; t++) { // through the softmax
            const float *p = s + t * n;
            float *d = w->score + t * n, sum = 0.0f;
            for (size_t i = 0; i <= t; i++)
                sum += p[i] * d[i];
            for (size_t i = 0; i < n; i++)
                d[i] = p[i] * (d[i] - sum) * scale;
        }
        weigh(w, w->score, y->made[K] + kv, kv_dim, w->dmade[Q] + at, q_dim);
        weigh_back(w, w->score, y->made[Q] + at, q_dim, w->dmade[K] + kv, kv_dim);
        weigh_back(w, s, w->dattn + at, q_dim, w->dmade[V] + kv, kv_dim);
    }
}

// --- the model

static void add(float *x, const float *y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] += y[i];
}

static const float *weights(const struct hw_window *w, const struct hw_params *p,
                            enum hw_tensor_id id, int l)
{
    return hw_params_at(p, &w->c, id, l);
}

// e[n][hidden_dim] = e^-gate
static void minus_exp(const struct hw_window *w, const float *gate, float *e)
{
    size_t width = (size_t)w->c.hidden_dim;
    memcpy(e, gate, (size_t)w->n * width * sizeof *e);
    for (int t = 0; t < w->n; t++)
        hw_exp_row(e + (size_t)t * width, w->c.hidden_dim, 0.0f, -1.0f);
}

// y[n][width] += bias
static void add_bias(const struct hw_window *w, const float *bias, int width, float *y)
{
    for (int t = 0; t < w->n; t++, y += width)
        add(y, bias, (size_t)width);
}

// d_bias[width] += the rows of dy[n][width]
static void bias_back(const struct hw_window *w, const float *dy, int width, float *d_bias)
{
    for (int t = 0; t < w->n; t++, dy += width)
        add(d_bias, dy, (size_t)width);
}

// Projection i of layer l, from y->xn to what attention reads.
static void project(struct hw_window *w, const struct hw_params *p, int l, int i)
{
    const struct hw_projection *j = &hw_projection[i];
    struct layer *y = &w->layers[l];
    int width = width_of(&w->c, i), hd = w->c.head_dim, heads = w->n * (width / hd);
    bool normed = hw_tensor_exists(&w->c, j->norm);
    float *out = normed ? y->row[i] : y->made[i];
    linear(w, weights(w, p, j->matrix, l), width, w->c.dim, y->xn, out);
    if (hw_tensor_exists(&w->c, j->bias))
        add_bias(w, weights(w, p, j->bias, l), width, out);
    if (normed)
        rmsnorm(w, out, heads, hd, weights(w, p, j->norm, l), y->row_inv[i], y->made[i]);
    if (j->rotated)
        rotate(w, y->made[i], width, 1.0f);
}

static void layer_forward(struct hw_window *w, const struct hw_params *p, int l, float *x)
{
    struct layer *y = &w->layers[l];
    int dim = w->c.dim, hidden = w->c.hidden_dim, q_dim = width_of(&w->c, Q);
    size_t n = (size_t)w->n, size = n * (size_t)dim;
    memcpy(y->x, x, size * sizeof *x);
    rmsnorm(w, x, w->n, dim, weights(w, p, HW_ATTN_NORM, l), y->inv, y->xn);
    for (int i = 0; i < HW_N_PROJECTIONS; i++)
        project(w, p, l, i);
    attend(w, y, l);
    linear(w, weights(w, p, HW_WO, l), dim, q_dim, y->attn, w->dxn); // dxn: free on the way there
    add(x, w->dxn, size);

    memcpy(y->mid, x, size * sizeof *x);
    rmsnorm(w, x, w->n, dim, weights(w, p, HW_FFN_NORM, l), y->mid_inv, y->mid_n);
    linear(w, weights(w, p, HW_W_GATE, l), hidden, dim, y->mid_n, y->gate);
    linear(w, weights(w, p, HW_W_UP, l), hidden, dim, y->mid_n, y->up);
    minus_exp(w, y->gate, y->hidden);
    for (size_t i = 0; i < n * (size_t)hidden; i++)
        y->hidden[i] = y->gate[i] / (1.0f + y->hidden[i]) * y->up[i];
    linear(w, weights(w, p, HW_W_DOWN, l), dim, hidden, y->hidden, w->dxn);
    add(x, w->dxn, size);
}

const float *hw_window_forward(struct hw_window *w, const struct hw_params *p, const int *tokens,
                               int n)
{
    size_t dim = (size_t)w->c.dim;
    w->n = n;
    w->tokens = tokens;
    for (int t = 0; t < n; t++)
        memcpy(w->x + (size_t)t * dim, p->tensor[HW_TOK_EMBED] + (size_t)tokens[t] * dim,
               dim * sizeof *w->x);
    for (int l = 0; l < w->c.n_layers; l++)
        layer_forward(w, p, l, w->x);
    rmsnorm(w, w->x, n, w->c.dim, p->tensor[HW_OUTPUT_NORM], w->inv, w->xn);
    linear(w, p->tensor[w->c.tied ? HW_TOK_EMBED : HW_OUTPUT], w->c.vocab_size, w->c.dim, w->xn,
           w->logits);
    return w->logits;
}

// The gradient of matrix `id` of layer l: dx += dy matrix, x and dy [n][cols] and [n][rows].
static void matrix_back(const struct hw_window *w, const struct hw_params *p, struct hw_params *g,
                        enum hw_tensor_id id, int l, const float *x, const float *dy, float *dx)
{
    int rows, cols;
    hw_tensor_shape(&w->c, id, &rows, &cols);
    linear_back(w, weights(w, p, id, l), rows, cols, x, dy, dx, hw_params_at(g, &w->c, id, l));
}

// From dmade[i] back to dxn, to which it adds.
static void project_back(struct hw_window *w, const struct hw_params *p, struct hw_params *g, int l,
                         int i)
{
    const struct hw_projection *j = &hw_projection[i];
    const struct layer *y = &w->layers[l];
    int width = width_of(&w->c, i), hd = w->c.head_dim, heads = w->n * (width / hd);
    float *dy = w->dmade[i];
    if (j->rotated)
        rotate(w, dy, width, -1.0f);
    if (hw_tensor_exists(&w->c, j->norm)) {
        memset(w->drow, 0, (size_t)w->n * (size_t)width * sizeof *w->drow);
        rmsnorm_back(y->row[i], heads, hd, weights(w, p, j->norm, l), y->row_inv[i], dy, w->drow,
                     hw_params_at(g, &w->c, j->norm, l));
        dy = w->drow;
    }
    if (hw_tensor_exists(&w->c, j->bias))
        bias_back(w, dy, width, hw_params_at(g, &w->c, j->bias, l));
    matrix_back(w, p, g, j->matrix, l, y->xn, dy, w->dxn);
}

// dx, the gradient of the loss by the layer's result, becomes that by its residual on entry.
static void layer_backward(struct hw_window *w, const struct hw_params *p, struct hw_params *g,
                           int l)
{
    struct layer *y = &w->layers[l];
    const struct hw_config *c = &w->c;
    int dim = c->dim, hidden = c->hidden_dim, q_dim = width_of(c, Q);
    size_t size = (size_t)w->n * (size_t)dim, ffn = (size_t)w->n * (size_t)hidden;
    memset(w->dhidden, 0, ffn * sizeof *w->dhidden);
    matrix_back(w, p, g, HW_W_DOWN, l, y->hidden, w->dx, w->dhidden);
    minus_exp(w, y->gate, w->dgate);
    for (size_t i = 0; i < ffn; i++) {
        float s = 1.0f / (1.0f + w->dgate[i]), d = w->dhidden[i];
        w->dgate[i] = d * y->up[i] * s * (1.0f + y->gate[i] * (1.0f - s));
        w->dup[i] = d * y->gate[i] * s;
    }
    memset(w->dxn, 0, size * sizeof *w->dxn);
    matrix_back(w, p, g, HW_W_GATE, l, y->mid_n, w->dgate, w->dxn);
    matrix_back(w, p, g, HW_W_UP, l, y->mid_n, w->dup, w->dxn);
    rmsnorm_back(y->mid, w->n, dim, weights(w, p, HW_FFN_NORM, l), y->mid_inv, w->dxn, w->dx,
                 hw_params_at(g, c, HW_FFN_NORM, l));

    memset(w->dattn, 0, (size_t)w->n * (size_t)q_dim * sizeof *w->dattn);
    matrix_back(w, p, g, HW_WO, l, y->attn, w->dx, w->dattn);
    attend_back(w, y);
    memset(w->dxn, 0, size * sizeof *w->dxn);
    for (int i = 0; i < HW_N_PROJECTIONS; i++)
        project_back(w, p, g, l, i);
    rmsnorm_back(y->x, w->n, dim, weights(w, p, HW_ATTN_NORM, l), y->inv, w->dxn, w->dx,
                 hw_params_at(g, c, HW_ATTN_NORM, l));
}

void hw_window_backward(struct hw_window *w, const struct hw_params *p, const float *d_logits,
                        struct hw_params *grad)
{
    enum hw_tensor_id head = w->c.tied ? HW_TOK_EMBED : HW_OUTPUT;
    size_t dim = (size_t)w->c.dim, size = (size_t)w->n * dim;
    memset(w->dx, 0, size * sizeof *w->dx);
    memset(w->dxn, 0, size * sizeof *w->dxn);
    linear_back(w, p->tensor[head], w->c.vocab_size, w->c.dim, w->xn, d_logits, w->dxn,
                grad->tensor[head]);
    rmsnorm_back(w->x, w->n, w->c.dim, p->tensor[HW_OUTPUT_NORM], w->inv, w->dxn, w->dx,
                 grad->tensor[HW_OUTPUT_NORM]);
    for (int l = w->c.n_layers - 1; l >= 0; l--)
        layer_backward(w, p, grad, l);
    for (int t = 0; t < w->n; t++)
        add(grad->tensor[HW_TOK_EMBED] + (size_t)w->tokens[t] * dim, w->dx + (size_t)t * dim, dim);
}
