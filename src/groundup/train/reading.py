"""Reading before writing: a training script with nine faults, and which line each of them is on.

The script is short and made for this exercise, but every fault in it has cost somebody a run. All nine are in one of the most
read training scripts there is; once they are found here, look for them there.
"""

SCRIPT = """\
 1  for argument in sys.argv[1:]:
 2      name, value = argument.split("=")
 3      globals()[name] = literal_eval(value)
 4  torch.manual_seed(1337 + rank)
 5  step, best = 0, inf
 6  model, optimizer = build(options)
 7  autocast = torch.autocast("cuda", dtype=torch.float16)
 8  scaler = torch.cuda.amp.GradScaler()
 9  if resume:
10      kept = torch.load("ckpt.pt")
11      model.load_state_dict(kept["model"])
12      optimizer.load_state_dict(kept["optimizer"])
13      step, best = kept["step"], kept["best"]
14
15  def batch(split):
16      starts = torch.randint(len(data[split]) - context, (size,))
17      rows = [data[split][i : i + context + 1] for i in starts]
18      rows = torch.stack(rows).to(device)
19      return rows[:, :-1], rows[:, 1:]
20
21  while step < steps:
22      if step % interval == 0 and rank == 0:
23          with torch.no_grad():
24              val = mean(model(*batch("val")) for _ in range(200))
25          if val < best or always_save:
26              best = val
27              kept = {"model": model.state_dict(), "step": step,
28                      "optimizer": optimizer.state_dict(), "best": best}
29              torch.save(kept, "ckpt.pt")
30      for micro in range(accumulate):
31          with autocast:
32              loss = model(*batch("train")) / accumulate
33          scaler.scale(loss).backward()
34      scaler.unscale_(optimizer)
35      clip_grad_norm_(model.parameters(), 1.0)
36      scaler.step(optimizer)
37      scaler.update()
38      optimizer.zero_grad()
39      flops = 6 * parameters * tokens_a_step / seconds(step)
40      print(step, loss.item() * accumulate, flops / 312e12)
41      step += 1
"""

SYMPTOMS = {
    "lost": "The power fails while it saves, and no checkpoint is left.",
    "replayed": "After a resume the batches of the first steps come again.",
    "disturbed": "Evaluating twice as often gives other weights at the end.",
    "worse": "The best loss on record is not the best there was.",
    "waiting": "On two GPUs one waits for the other during an evaluation, until the run is ended for it.",
    "last": "The printed loss jumps about more than the loss of a whole step does.",
    "impossible": "On another card it prints that 3 % of it are used, or 130 %.",
    "refused": "The option note=a=b ends the program before it begins.",
    "processor": "On a machine without a GPU it does not run at all, whatever is chosen as the device.",
}


def answers():
    """{name of a symptom: the number of the line in SCRIPT that is to blame}, all nine of SYMPTOMS.

    Where a value is wrong, it is the line that makes it, not one that uses it. Where something is missing, it is the line that
    should have it and does not.
    """
    return {
        "lost": 29,
        "replayed": 27,
        "disturbed": 24,
        "worse": 26,
        "waiting": 22,
        "last": 40,
        "impossible": 40,
        "refused": 2,
        "processor": 7,
    }
