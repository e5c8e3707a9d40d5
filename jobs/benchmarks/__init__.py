"""The question-answer benchmarks on local files: MLVU, Video-MME, LVBench and Charades-STA.

question     what every benchmark comes down to        records    files of records, and what is wrong in them
mlvu, videomme, lvbench, charades_sta                  one annotation format each
names        which there are
formats      which benchmark is read and sampled how   videos     the files the questions are about
answering    one prefill per video, its questions as rows of one batch
answers      the answers file, which resumes           scores     accuracy, R@1 and mIoU
run          all of it, in this process, on one device
"""
